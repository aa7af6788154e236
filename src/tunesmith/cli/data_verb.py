"""tunesmith data: look at files of rows, clean, divide, convert and label them, list what is doubtful."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.cli.label_action import options as label_options
from tunesmith.cli.label_action import run_label
from tunesmith.cli.output import Output
from tunesmith.cli.parser import Actions, carry_out, number
from tunesmith.cli.synthesise_action import run_synthesise, synthesise_options
from tunesmith.core import text
from tunesmith.core.errors import Problem, UsageError
from tunesmith.core.memory import share_heap

if TYPE_CHECKING:
    from tunesmith.workflow.dataset.previewing import Effect
    from tunesmith.workflow.dataset.section import Section

_PREVIEWED = 3
_SHARE = number(float, 0, 0.99)


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """show, profile, issues, clean, augment, synthesise, split, convert, label."""
    actions = Actions(parser, lang)
    option = _options(actions, lang)
    for name in (
        "show", "profile", "issues", "clean", "augment", "synthesise", "split", "convert", "label",
    ):  # fmt: skip
        option(name, None)
    option("show", "--rows", type=number(int, 1, 1000), default=5, metavar="N")
    for name in ("profile", "clean", "augment"):
        option(name, "--recipe", type=Path, metavar="FILE")
    option("profile", "--model", metavar="MODEL")
    for name in ("profile", "issues", "clean", "augment", "synthesise", "split", "convert"):
        option(name, "--out", type=Path, metavar="DIR" if name == "split" else "FILE")
    option("clean", "--clean", metavar="LIST")
    for name in ("clean", "augment"):
        option(name, "--preview", type=number(int, 1, 100), nargs="?", const=_PREVIEWED, metavar="N")
    option("augment", "--with", dest="by", metavar="LIST")
    option("augment", "--copies", type=number(int, 1, 100), metavar="N")
    option("clean", "--threads", type=number(int, 1, 64), metavar="N")
    for name in ("test", "validation"):
        option("split", f"--{name}", type=_SHARE, metavar="SHARE")
    for name in ("group", "time"):
        option("split", f"--{name}", metavar="COLUMN")
    option("split", "--similar", type=_similar, metavar="SHARE")
    option("split", "--overlap", choices=("stop", "drop", "keep"))
    for name in ("augment", "synthesise", "split"):
        option(name, "--seed", type=number(int, 0, 2**63 - 1), default=0, metavar="N")
    option("split", "--format", metavar="SUFFIX")
    for name in ("clean", "augment", "synthesise", "split", "convert"):
        option(name, "--to", metavar="LAYOUT")
    synthesise_options(option)
    label_options(option)


def _similar(given: str) -> float | str:
    """A share, or `off` to keep only equal rows together."""
    return given if given == "off" else number(float, 0.5, 1)(given)


# argparse puts this name into its sentence about a value that does not fit.
_similar.__name__ = "0.5..1, off"


def _options(actions: Actions, lang: str) -> Callable[..., None]:
    """A function that adds an option to an action; the first call for an action makes it."""
    parsers: dict[str, argparse.ArgumentParser] = {}

    def add(verb: str, name: str | None, **settings: Any) -> None:
        if name is not None:
            said = text.say(f"cli.option_data_{name.lstrip('-')}", lang)
            parsers[verb].add_argument(name, help=said, **settings)
            return
        parser = parsers[verb] = actions.add(verb)
        parser.add_argument(
            "files", nargs="*", metavar="FILE", help=text.say("cli.argument_data_files", lang)
        )
        add(verb, "--task", metavar="TASK")
        add(verb, "--fields", metavar="FIELD=COLUMN", action="append", default=[])

    return add


def run(given: argparse.Namespace, output: Output) -> int:
    """Carry out the action."""
    actions = {
        "show": _show, "profile": _profile, "issues": _issues, "clean": _clean, "augment": _augment,
        "split": _split, "convert": _convert, "label": run_label,
        "synthesise": run_synthesise,
    }  # fmt: skip
    share_heap()
    return carry_out(actions, given, output)


def _section(given: argparse.Namespace, **settings: Any) -> Section:
    from tunesmith.workflow.dataset import section

    if getattr(given, "recipe", None) is not None:
        _check_alone(given)
        return section.of_recipe(given.recipe)
    if not given.files:
        raise _missing(given, "FILE")
    return section.of_files(given.files, task=given.task, fields=section.fields_of(given.fields), **settings)


def _check_alone(given: argparse.Namespace) -> None:
    """Refuse what a recipe says already."""
    names = {"FILE": "files", "--task": "task", "--fields": "fields", "--clean": "clean", "--with": "by"}
    found = [
        Problem(code="U09", values={"name": name})
        for name, key in names.items()
        if getattr(given, key, None) not in (None, [])
    ]
    if found:
        raise UsageError.of(found)


def _missing(given: argparse.Namespace, name: str) -> UsageError:
    reason = text.say("cli.usage_required", text.language(given.lang), names=name)
    return UsageError("U01", reason=reason, command=f"tunesmith data {given.action}")


def _out(given: argparse.Namespace) -> Path:
    if given.out is None:
        raise _missing(given, "--out")
    out: Path = given.out
    return out


def _show(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import data_views
    from tunesmith.workflow.dataset import looking
    from tunesmith.workflow.dataset.section import apart

    files = given.files if given.task else apart(given.files)
    sections = [_section(argparse.Namespace(**{**vars(given), "files": [name]})) for name in files]
    found = looking.first_rows(sections or [_section(given)], given.rows)
    output.data(found)
    data_views.show_sources(found["sources"], output)
    data_views.show_rows(found["rows"], output)
    data_views.show_ledger(found["ledger"], output)
    return 0


def _profile(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import data_views
    from tunesmith.core import durable
    from tunesmith.data.profile import render, spoken
    from tunesmith.workflow.dataset import looking

    measured = looking.profile(
        _section(given), workspace=output.workspace, model=given.model, command=_command(given)
    )
    output.data(spoken(measured, output.lang))
    data_views.show_profile(measured, output)
    if given.out is not None:
        durable.write_bytes(given.out, render(measured, output.lang).encode())
        output.line(output.say("written", file=given.out))
    return 0


def _command(given: argparse.Namespace) -> str:
    """The command that makes the same profile again."""
    options = [("--recipe", given.recipe), ("--task", given.task), ("--model", given.model)]
    options += [("--fields", pair) for pair in given.fields]
    said = [str(word) for option in options if option[1] is not None for word in option]
    return shlex.join(["tunesmith", "data", "profile", *given.files, *said])


def _issues(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import data_views
    from tunesmith.data import issues
    from tunesmith.workflow.dataset import looking

    found, place = looking.doubts(_section(given))
    places = {issue.row: place(issue.row) for issue in found}
    if given.out is not None:
        issues.write(found, given.out, places=places)
    output.data(
        {"issues": [{**asdict(i), **dict(zip(("file", "line"), places[i.row], strict=True))} for i in found]}
    )
    data_views.show_issues(found, places, output, saved=given.out is not None)
    if given.out is not None:
        output.line(output.say("written", file=given.out))
    return 0


def _clean(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import data_views
    from tunesmith.workflow.dataset import cleaning, previewing
    from tunesmith.workflow.dataset.section import cleaners_of

    section = _section(given, clean=cleaners_of(given.clean))
    if given.preview is not None:
        effects = previewing.preview_files(section, given.preview)
        output.data({"preview": [_effect(effect) for effect in effects]})
        data_views.show_preview(effects, output)
        return 0
    made = cleaning.clean_files(section, _out(given), layout=given.to, threads=given.threads)
    output.data(made)
    data_views.show_sources(made["sources"], output)
    data_views.show_counts(made["cleaned"], output)
    data_views.show_ledger(made["ledger"], output)
    for file in (*made["files"], made["ledger_file"]):
        output.line(output.say("written", file=file))
    return 0


def _effect(effect: Effect, noun: str = "cleaner") -> dict[str, Any]:
    rows = [{"file": seen.file, "line": seen.line, **asdict(seen.effect)} for seen in effect.shown]
    return {noun: effect.name, "shown": rows}


def _augment(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import data_views
    from tunesmith.workflow.augmenting import helpers
    from tunesmith.workflow.dataset import augmenting

    section = _augmented_section(given)
    ask = helpers(output.workspace, section.base)
    if given.preview is not None:
        effects = augmenting.preview_files(section, given.preview, ask)
        output.data({"preview": [_effect(effect, "augmenter") for effect in effects]})
        data_views.show_preview(effects, output)
        return 0
    made = augmenting.augment_files(section, _out(given), layout=given.to, helpers=ask)
    output.data(made)
    data_views.show_counts(made["augmented"], output)
    data_views.show_ledger(made["ledger"], output)
    output.line(output.say("written", file=made["out"]))
    return 0


def _augmented_section(given: argparse.Namespace) -> Section:
    from tunesmith.workflow.dataset.section import components_of

    if given.recipe is None and given.by is None:
        raise _missing(given, "--with")
    by = [] if given.by is None else components_of(given.by, "--with")
    copies = {} if given.copies is None else {"copies": given.copies}
    section = _section(given, augment={"by": by, **copies}, seed=given.seed)
    if section.data.augment is None:
        raise UsageError("A01", file=given.recipe)
    return section


def _split(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import data_views
    from tunesmith.workflow.dataset import splitting

    names = ("test", "validation", "group", "time", "similar", "overlap")
    split = {name: value for name in names if (value := getattr(given, name)) is not None}
    if given.similar == "off":
        split["similar"] = None
    section = _section(given, split=split, seed=given.seed)
    made = splitting.split_files(section, _out(given), suffix=given.format, layout=given.to)
    output.data(made)
    data_views.show_warnings(made["warnings"], output)
    for name, rows in made["rows"].items():
        output.line(f"  {name}  {rows:,}")
    data_views.show_ledger(made["ledger"], output)
    output.line(output.say("written", file=made["out"]))
    return 0


def _convert(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import data_views
    from tunesmith.workflow.dataset import converting

    made = converting.convert_files(_section(given), _out(given), given.to)
    output.data(made)
    data_views.show_sources(made["sources"], output)
    data_views.show_ledger(made["ledger"], output)
    for file in made["files"]:
        output.line(output.say("written", file=file))
    return 0
