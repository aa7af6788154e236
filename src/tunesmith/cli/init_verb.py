"""tunesmith init [FILE]: a recipe that runs, written after a look at the data."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli.output import Output
from tunesmith.core import text
from tunesmith.core.errors import UsageError

if TYPE_CHECKING:
    from tunesmith.workflow.initial import Draft


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """The data file, the task, and where the recipe goes."""
    parser.add_argument("file", type=Path, nargs="?", help=text.say("cli.argument_data_file", lang))
    parser.add_argument("--task", metavar="TASK", help=text.say("cli.option_task_guessed", lang))
    parser.add_argument(
        "--out", type=Path, metavar="FILE", default=Path("recipe.yaml"), help=text.say("cli.option_out", lang)
    )


def run(given: argparse.Namespace, output: Output) -> int:
    """Write the recipe, never over another one."""
    from tunesmith.core import durable
    from tunesmith.workflow import initial

    if given.out.exists():
        raise UsageError("U03", file=given.out)
    draft = initial.draft(given.file, task=given.task, out=given.out, lang=output.lang)
    durable.write_bytes(given.out, draft.text.encode())
    commands = [f"tunesmith {verb} {given.out}" for verb in ("check", "run")]
    output.data(_values(draft, given.out, commands))
    _show(draft, given.out, commands, output)
    return 0


def _values(draft: Draft, out: Path, commands: list[str]) -> dict[str, object]:
    source = draft.source
    return {
        "recipe": str(out),
        "task": draft.task,
        "model": draft.model,
        "format": source.format if source else None,
        "encoding": source.encoding if source else None,
        "delimiter": source.delimiter if source else None,
        "rows": source.rows if source else None,
        "kind": source.kind if source else None,
        "mapping": dict(source.mapping) if source else {},
        "next": commands,
    }


def _show(draft: Draft, out: Path, commands: list[str], output: Output) -> None:
    if source := draft.source:
        read = [source.format, source.encoding, repr(source.delimiter) if source.delimiter else None]
        said = " ".join(part for part in read if part)
        output.line(output.say("init_read", file=source.path, rows=f"{source.rows:,}", how=said))
        for name, column in source.mapping.items():
            output.line(f"  {name} ← {column}")
    for problem in (*draft.warnings, *draft.problems):
        told = problem.as_dict(output.lang)
        output.hint(f"  ! {told['message']}\n    {told['cause']}")
    if draft.problems:
        output.hint(output.say("init_dropping"))
    output.line(output.say("init_written", file=out, task=draft.task, model=_model(draft, output)))
    if draft.source is None:
        output.hint(output.say("init_fill_in", file=out))
    output.line(output.say("next", command=commands[0]))
    output.line(output.say("next_after", command=commands[1]))


def _model(draft: Draft, output: Output) -> str:
    if isinstance(draft.model, str):
        return draft.model
    return output.say("init_scratch", architecture=draft.model["architecture"])
