"""From arguments to a verb, and from whatever goes wrong to a message and an exit code."""

from __future__ import annotations

import argparse
import gc
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Any

from tunesmith.cli.parser import Parser, common, unknown_command
from tunesmith.core import spinning, text
from tunesmith.core.errors import TunesmithError, UsageError

VERBS = (
    "demo", "init", "check", "run", "learn", "eval", "ask", "judge", "serve", "studio", "data", "models",
    "runs", "keys", "store", "doctor",
)  # fmt: skip


def program() -> int:
    """`main` in a process of its own; returns the exit code."""
    # Most of what a command makes lives until its end: looking for cycles among it, every seven hundred
    # objects and once more at the end, takes about a tenth of the time of a short command.
    gc.set_threshold(100_000, 50, 50)
    code = main()
    gc.freeze()
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command; returns the exit code (design: command line contract)."""
    given = list(sys.argv[1:] if argv is None else argv)
    lang = text.language(_value(given, "--lang"))
    _show_what_can_be_shown()
    try:
        return _carry_out(given, lang)
    except TunesmithError as error:
        return _report(error, given, lang)
    except KeyboardInterrupt:
        return 130
    except SystemExit as end:
        # argparse ends so after it printed a help.
        return int(end.code or 0)
    except BrokenPipeError:
        # The reader of our output went away; say nothing more, not even when the interpreter flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if "--debug" in given:
            raise
        reason = f"{type(error).__name__}: {error}"
        return _report(TunesmithError("C11", reason=reason), given, lang)


def _show_what_can_be_shown() -> None:
    """A character that the terminal's encoding lacks is replaced instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _carry_out(given: list[str], lang: str) -> int:
    position = next((i for i, word in enumerate(given) if not word.startswith("-")), None)
    position = _skip_values(given, position)
    if position is None:
        return _without_verb(given, lang)
    verb = given[position]
    if verb not in VERBS:
        raise unknown_command(verb, list(VERBS), "tunesmith")
    os.environ.update(spinning.environment())
    module: Any = importlib.import_module(f"tunesmith.cli.{verb}_verb")
    parser = Parser(prog=f"tunesmith {verb}", description=text.say(f"cli.{verb}", lang), lang=lang)
    module.arguments(parser, lang)
    common(parser, lang)
    arguments = parser.parse_args(given[:position] + given[position + 1 :])
    from tunesmith.cli.output import Output

    _load_code(arguments)
    code: int = module.run(arguments, Output.of(arguments, lang))
    return code


def _skip_values(given: list[str], position: int | None) -> int | None:
    """The position of the verb: not of a value that belongs to an option before it."""
    while position and given[position - 1] in ("--lang", "--workspace", "--store", "--code"):
        following = range(position + 1, len(given))
        position = next((i for i in following if not given[i].startswith("-")), None)
    return position


def _without_verb(given: list[str], lang: str) -> int:
    if "--version" in given:
        from tunesmith import __version__

        sys.stdout.write(f"tunesmith {__version__}\n")
        return 0
    wrong = [word for word in given if word not in ("-h", "--help", "--lang", lang, "--debug")]
    if wrong and "--lang" not in given:
        reason = text.say("cli.usage_unknown", lang, names=wrong[0])
        raise UsageError("U01", reason=reason, command="tunesmith")
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:<{width}}  {text.say(f'cli.{verb}', lang)}" for verb in VERBS)
    sys.stdout.write(text.say("cli.help", lang, verbs=verbs))
    return 0 if given else 2


def _load_code(arguments: argparse.Namespace) -> None:
    if arguments.code is not None:
        from tunesmith.core.registry import load_code

        load_code(arguments.code)


def _value(given: Sequence[str], option: str) -> str | None:
    for i, word in enumerate(given):
        if word == option and i + 1 < len(given):
            return given[i + 1]
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _report(error: TunesmithError, given: Sequence[str], lang: str) -> int:
    from tunesmith.cli.output import show_error

    show_error(error, lang, as_json="--json" in given)
    return error.exit_code
