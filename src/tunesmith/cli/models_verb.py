"""tunesmith models: what there is, and what becomes of releases."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.cli import choosing_views, hosted_views, layout, marks_view
from tunesmith.cli.output import Output
from tunesmith.cli.parser import Actions, carry_out
from tunesmith.core import text
from tunesmith.core.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from tunesmith.core.store import Store


def arguments(parser: argparse.ArgumentParser, lang: str) -> None:
    """list, show, suggest, add, adapters, promote, rollback, history, tag, note, verify, export, remove."""
    actions = Actions(parser, lang)
    choosing_views.filters(actions.add("list"), lang)
    actions.add("show", "model")
    choosing_views.suggesting(actions.add("suggest"), lang)
    adding = actions.add("add", "source")
    adding.add_argument("--name", metavar="NAME", help=text.say("cli.option_release_name", lang))
    adding.add_argument("--base", metavar="MODEL", help=text.say("cli.option_base", lang))
    hosted_views.arguments(adding, lang)
    actions.add("adapters", "model")
    promote, rollback = actions.add("promote", "release"), actions.add("rollback", "release_name")
    for parser_of in (promote, rollback):
        parser_of.add_argument(
            "--alias", default="production", metavar="NAME", help=text.say("cli.option_alias", lang)
        )
        parser_of.add_argument(
            "--reason", default="", metavar="TEXT", help=text.say("cli.option_reason", lang)
        )
    actions.add("history", "release_name")
    marks_view.arguments(actions, "release", lang)
    actions.add("verify", "model")
    exporting = actions.add("export", "model")
    exporting.add_argument(
        "--to", type=Path, metavar="DIR", required=True, help=text.say("cli.option_to", lang)
    )
    exporting.add_argument(
        "--format", default="safetensors", choices=("safetensors", "gguf", "onnx"),
        help=text.say("cli.option_export_format", lang),
    )  # fmt: skip
    exporting.add_argument(
        "--precision", choices=("f32", "f16", "q8_0", "q4_0"), help=text.say("cli.option_precision", lang)
    )
    exporting.add_argument("--data", type=Path, metavar="FILE", help=text.say("cli.option_export_data", lang))
    actions.add("remove", "release")


def run(given: argparse.Namespace, output: Output) -> int:
    """Carry out the action."""
    actions = {
        "list": _list, "show": _show, "suggest": choosing_views.suggest, "add": _add, "adapters": _adapters,
        "promote": _promote, "rollback": _rollback, "verify": _verify, "export": _export, "remove": _remove,
        "history": _history, "tag": _tag, "note": _note,
    }  # fmt: skip
    return carry_out(actions, given, output)


def _list(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import model_views
    from tunesmith.core import components
    from tunesmith.models import listing

    if given.task is not None:
        components.tasks.get(given.task)
    wanted = choosing_views.wanted(given)
    found: dict[str, Any] = listing.everything(output.workspace, wanted)
    found["hosted"] = hosted_views.rows(output) if choosing_views.is_any(wanted) else []
    output.data(found)
    model_views.show_list(found, output)
    hosted_views.show_list(found["hosted"], output)
    return 0


def _show(given: argparse.Namespace, output: Output) -> int:
    if hosted_views.is_hosted(given.model):
        return hosted_views.show(given.model, output)
    from tunesmith.cli import model_page
    from tunesmith.models import description, facts

    found = facts.find(given.model, output.workspace)
    known = description.describe(found)
    if found.release is not None:
        from tunesmith.workflow import lineage

        known["chain"] = lineage.of_release(found.release, output.workspace)
        known |= marks_view.known("release", found.release.label, output.workspace)
    if known["folder"] and known["kind"] == "language":
        from tunesmith.workflow.packed import certificates

        known["packed"] = certificates(known["folder"])
    output.data(known)
    model_page.show(known, output)
    for found_one in known.get("packed", ()):
        for line in layout.wrap(output.say("models_packed", **found_one), 80):
            output.line(line)
    if found.release is not None:
        marks_view.show(known, output)
    return 0


def _add(given: argparse.Namespace, output: Output) -> int:
    if hosted_views.is_hosted(given.source):
        return hosted_views.add(given, output)
    from tunesmith.workflow import releases

    release = releases.add(given.source, output.workspace, name=given.name, base=given.base)
    output.data({"release": release.label, "folder": release.folder, "digest": release.digest})
    output.line(output.say("models_added", release=release.label))
    return 0


def _adapters(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli import adapter_views
    from tunesmith.workflow import adopting

    found = adopting.of_base(given.model, output.workspace)
    output.data({"base": given.model, "adapters": found})
    adapter_views.show(given.model, found, output)
    return 0


def _promote(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.workflow import promotion
    from tunesmith.workflow.releases import checked_name

    store = _store(given.release, output)
    label, alias = _versioned(given.release, "promote"), checked_name(given.alias)
    moved = promotion.promote(store, label, alias, given.reason)
    _say_moved(moved.release.name, alias, moved.previous, moved.release.version, output)
    return 0


def _rollback(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.workflow import promotion

    name = given.release_name.partition("@")[0]
    moved = promotion.rollback(_store(name, output), name, given.alias, given.reason)
    _say_moved(name, given.alias, moved.previous, moved.release.version, output)
    return 0


def _history(given: argparse.Namespace, output: Output) -> int:
    _store(given.release_name, output)
    return marks_view.history(given, output)


def _tag(given: argparse.Namespace, output: Output) -> int:
    label = _store(given.release, output).release(_versioned(given.release, "tag")).label
    return marks_view.tag("release", label, given, output)


def _note(given: argparse.Namespace, output: Output) -> int:
    label = _store(given.release, output).release(_versioned(given.release, "note")).label
    return marks_view.note("release", label, given, output)


def _say_moved(name: str, alias: str, before: int | None, after: int, output: Output) -> None:
    output.data({"name": name, "alias": alias, "version": after, "previous": before})
    key = "models_stays" if before == after else "models_moved" if before else "models_pointed"
    output.line(output.say(key, alias=alias, name=name, before=before, after=after))


def _verify(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.workflow import releases

    done = releases.verify(given.model, output.workspace)
    prompts = done.agreement.as_dict() if done.agreement else None
    output.data(
        {
            "model": given.model, "ok": True, "files": done.files, "digest": done.digest,
            "prompts": prompts, "lineage": done.lineage,
        }
    )  # fmt: skip
    output.line(output.say("models_intact", name=given.model, files=done.files, digest=done.digest[:16]))
    for name, state in done.lineage.items():
        if state != "unknown":
            what, how = (output.say(f"lineage_{key}") for key in (name, state))
            output.line(output.say("models_lineage", what=what, how=how))
    if prompts:
        output.line(output.say("models_prompts", **prompts))
        if prompts["refused"]:
            output.line(output.say("models_refused", count=len(prompts["refused"])))
    return 0


def _export(given: argparse.Namespace, output: Output) -> int:
    from tunesmith.workflow.exporting import export

    made = export(
        given.model, output.workspace, given.to,
        to=given.format, precision=given.precision, data=given.data, lang=output.lang,
        telling=lambda step: output.hint(output.say(f"export_{step}", name=given.model, format=given.format)),
    )  # fmt: skip
    output.data({"path": str(given.to), **made.as_dict(), "model": given.model})
    output.line(output.say("written", file=given.to))
    output.line(output.say("models_certified", agreement=f"{made.agreement:.2%}", tokens=made.tokens))
    for metric, (before, after) in made.scores.items():
        output.line(f"  {metric}: {before:.4f} -> {after:.4f}")
    return 0


def _remove(given: argparse.Namespace, output: Output) -> int:
    if hosted_views.is_hosted(given.release):
        return hosted_views.remove(given.release, output)
    from tunesmith.workflow import releases

    _store(given.release, output)
    removed = releases.remove(_versioned(given.release, "remove"), output.workspace)
    output.data({"release": removed.label, "removed": True})
    output.line(output.say("models_removed", release=removed.label))
    return 0


def _store(label: str, output: Output) -> Store:
    """The workspace's store, which is not made for the sake of a question."""
    from tunesmith.core.store import Store

    if not output.workspace.database.exists():
        raise NotFoundError("C07", name=label, known="-")
    return Store(output.workspace.database)


def _versioned(label: str, action: str) -> str:
    """A label that says which version: what a bare name means changes with time."""
    if "@" not in label:
        raise UsageError("U06", name=label, command=f"tunesmith models {action}")
    return label
