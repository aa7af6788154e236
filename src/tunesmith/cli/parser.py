"""Arguments: argparse that speaks the user's language, knows Chinese widths, and raises our errors."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from tunesmith.cli import layout
from tunesmith.cli.output import Output
from tunesmith.core import text
from tunesmith.core.errors import UsageError

Action: TypeAlias = Callable[[argparse.Namespace, Output], int]
COMMON = ("help", "json", "workspace", "store", "lang", "quiet", "debug", "code")

# What argparse says, and the key of cli.toml that says it in our words.
_REASONS = {
    r"the following arguments are required: (?P<names>.+)": "usage_required",
    r"unrecognized arguments: (?P<names>.+)": "usage_unknown",
    r"argument (?P<name>.+?): expected (?:one|at least one) argument": "usage_value",
    r"argument (?P<name>.+?): invalid (?P<kind>.+) value: '(?P<value>.*)'": "usage_kind",
    r"argument (?P<name>.+?): invalid choice: '(?P<value>.*)' \(choose from (?P<known>.+)\)": "usage_choice",
}


class Formatter(argparse.HelpFormatter):
    """Help in 80 columns at most; the options that every verb has are not repeated in the usage."""

    def __init__(self, prog: str, *, lang: str, **settings: Any) -> None:
        super().__init__(prog, **settings)
        self._lang = lang
        self._width = min(self._width, 78)

    def add_usage(
        self, usage: str | None, actions: Iterable[argparse.Action], groups: Any, prefix: str | None = None
    ) -> None:
        """The usage line, in the user's language."""
        own = [action for action in actions if action.dest not in COMMON]
        # An empty prefix is argparse asking for the name of a sub-parser.
        own_prefix = text.say("cli.usage", self._lang) if prefix is None else prefix
        super().add_usage(usage, own, groups, own_prefix)

    def start_section(self, heading: str | None) -> None:
        """A group of arguments, argparse's own titles translated."""
        key = {"positional arguments": "arguments", "options": "options"}.get(heading or "")
        super().start_section(text.say(f"cli.{key}", self._lang) if key else heading)

    def format_help(self) -> str:
        """The whole help; titles end with a colon of the language."""
        colon = "：" if self._lang == "zh" else ":"
        return re.sub(r"^(\S.*):$", rf"\1{colon}", super().format_help(), flags=re.M)

    def _format_usage(self, usage: Any, actions: Any, groups: Any, prefix: Any) -> str:
        # argparse counts characters: beside a wide prefix lines would be too long, and those that follow it
        # would stand too far to the left.
        missing = " " * (layout.width(prefix) - len(prefix))
        self._width -= len(missing)
        first, *rest = super()._format_usage(usage, actions, groups, prefix).split("\n")
        self._width += len(missing)
        return "\n".join([first, *(missing + line if line else line for line in rest)])

    def _format_action(self, action: argparse.Action) -> str:
        if isinstance(action, argparse._SubParsersAction):
            return "".join(self._format_action(inner) for inner in action._get_subactions())
        return super()._format_action(action)

    def _get_default_metavar_for_positional(self, action: argparse.Action) -> str:
        return action.dest.upper()

    def _split_lines(self, text: str, width: int) -> list[str]:
        return layout.wrap(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in layout.wrap(text, width - len(indent)))


class Parser(argparse.ArgumentParser):
    """argparse that raises our errors and speaks the user's language."""

    def __init__(self, *, lang: str, **settings: Any) -> None:
        make: Any = partial(Formatter, lang=lang)
        super().__init__(formatter_class=make, add_help=False, allow_abbrev=False, **settings)
        self.lang = lang

    def error(self, message: str) -> NoReturn:
        """Turn a wrong argument into a UsageError."""
        raise UsageError("U01", reason=_reworded(message, self.lang), command=self.prog)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if isinstance(action, argparse._SubParsersAction) and value not in action.choices:
            raise unknown_command(value, list(action.choices), self.prog)
        super()._check_value(action, value)


def _reworded(message: str, lang: str) -> str:
    for pattern, key in _REASONS.items():
        if found := re.fullmatch(pattern, message, re.S):
            values = {name: value.replace("'", "") for name, value in found.groupdict().items()}
            if key == "usage_required":
                values["names"] = ", ".join(map(_shown, values["names"].split(", ")))
            return text.say(f"cli.{key}", lang, **values)
    return message


def _shown(name: str) -> str:
    """A missing argument as the usage calls it."""
    return name if name.startswith("-") else name.upper()


def unknown_command(name: str, known: list[str], before: str) -> UsageError:
    """The error about a verb or action that does not exist, with the closest that does."""
    close = get_close_matches(name, known, 1)
    return UsageError("U02", name=name, known=", ".join(known), command=f"{before} {(*close, '--help')[0]}")


def common(parser: argparse.ArgumentParser, lang: str, **default: Any) -> None:
    """The options that every verb has; `default` is for actions, which must not undo what stood before."""
    group = parser.add_argument_group(text.say("cli.common", lang))
    group.add_argument("-h", "--help", action="help", help=text.say("cli.option_help", lang))
    for name in ("json", "quiet", "debug"):
        say = text.say(f"cli.option_{name}", lang)
        group.add_argument(f"--{name}", action="store_true", help=say, **default)
    for name, kind in (("workspace", "DIR"), ("code", "FILE")):
        say = text.say(f"cli.option_{name}", lang)
        group.add_argument(f"--{name}", type=Path, metavar=kind, help=say, **default)
    say = text.say("cli.option_store", lang)
    group.add_argument("--store", metavar="URL", help=say, **default)
    group.add_argument("--lang", choices=text.LANGUAGES, help=text.say("cli.option_lang", lang), **default)


class Actions:
    """The actions of a verb, like `list` of `tunesmith models list`."""

    def __init__(self, parser: argparse.ArgumentParser, lang: str) -> None:
        self._parser = parser
        self._lang = lang
        self._verb = parser.prog.rpartition(" ")[2]
        self._parsers = parser.add_subparsers(
            dest="action", metavar="ACTION", title=text.say("cli.actions", lang)
        )
        parser.set_defaults(help_of_actions=parser.format_help)

    def add(self, name: str, *arguments: str) -> argparse.ArgumentParser:
        """An action; `arguments` are its positional ones, explained by `cli.argument_NAME`."""
        said = text.say(f"cli.{self._verb}_{name}", self._lang)
        settings: dict[str, Any] = {"lang": self._lang, "help": said, "description": said}
        parser = self._parsers.add_parser(name, **settings)
        for argument in arguments:
            said = text.say(f"cli.argument_{argument}", self._lang)
            parser.add_argument(argument, metavar=argument.rpartition("_")[2].upper(), help=said)
        common(parser, self._lang, default=argparse.SUPPRESS)
        return parser


def carry_out(actions: Mapping[str, Action], given: argparse.Namespace, output: Output) -> int:
    """Carry out the action that was named; without one, say which there are and return 2."""
    if given.action is not None:
        return actions[given.action](given, output)
    if output.as_json:
        raise UsageError("U04", name="ACTION", wanted=", ".join(actions))
    sys.stdout.write(given.help_of_actions())
    return UsageError.exit_code


def number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str], int | float]:
    """A number of an option, within bounds."""

    def parse(given: str) -> int | float:
        value = kind(given)
        if not low <= value <= high:
            raise ValueError(given)
        return value

    # argparse puts this name into its sentence about a value that does not fit.
    parse.__name__ = f"{low}..{high}"
    return parse
