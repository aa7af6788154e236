"""tunesmith data label: begin labelling or go on, see how far it is, write what was labelled."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.cli.output import Output
from tunesmith.cli.parser import number
from tunesmith.core.errors import NotFoundError, render

if TYPE_CHECKING:
    from tunesmith.core.store import Store
    from tunesmith.core.store.labelling import Project

_FEEDBACK = "feedback:"
_ORDERS = ("given", "random", "margin", "entropy", "diversity", "mixed", "disagreement")


def options(option: Callable[..., None]) -> None:
    """The options of the action."""
    option("label", "--project", metavar="NAME")
    option("label", "--labels", metavar="LIST")
    option("label", "--guideline", type=Path, metavar="FILE")
    option("label", "--gold", action="append", default=[], metavar="FILE")
    option("label", "--as", dest="annotator", metavar="NAME")
    option("label", "--twice", type=number(float, 0, 1), default=0.0, metavar="SHARE")
    option("label", "--order", choices=_ORDERS, default="given", metavar="ORDER")
    option("label", "--suggest", action="append", default=[], metavar="MODEL")
    option("label", "--doubtful", action="store_true")
    option("label", "--scale", type=number(int, 2, 10), default=5, metavar="N")
    option("label", "--status", action="store_true")
    option("label", "--out", type=Path, metavar="FILE")
    option("label", "--to", metavar="LAYOUT")
    option("label", "--remove", action="store_true")


def run_label(given: argparse.Namespace, output: Output) -> int:
    """List the projects, or do what was asked with one; by default label."""
    from tunesmith.core.store import Store

    store = Store(output.workspace.database)
    if not given.files:
        return _list(store, output)
    if given.remove:
        return _remove(store, given, output)
    project = _project(store, given, output)
    if given.status:
        return _status(store, project, output)
    if given.out is not None:
        return _export(store, project, given, output)
    return _label(store, project, given, output)


def _project(store: Store, given: argparse.Namespace, output: Output) -> Project:
    """The project of that name; else one of the files or the feedback, made unless it is there already."""
    from tunesmith.workflow.dataset.section import fields_of
    from tunesmith.workflow.labelling import making, suggesters

    first = str(given.files[0])
    if first.startswith(_FEEDBACK):
        from tunesmith.workflow.feedback import reviewing

        return reviewing.prepare(store, output.workspace, first.removeprefix(_FEEDBACK))
    names = {project.name: project for project in store.projects()}
    if len(given.files) == 1 and given.files[0] in names:
        return _as_it_is(names[given.files[0]], given, output)
    missing = next((file for file in given.files if not (Path(file).exists() or "*" in file)), None)
    if missing is not None and _is_name(given):
        return store.project(missing)
    if missing is not None:
        raise NotFoundError("D01", file=missing)
    name = given.project or making.name_of(given.files[0])
    if name in names and names[name].source == ", ".join(given.files):
        return _as_it_is(names[name], given, output)
    wish = making.Wish(
        name=name, kind=given.task, labels=_labels(given.labels), overlap=given.twice, order=given.order,
        guideline=_guideline(given.guideline), scale=given.scale,
        doubtful=given.doubtful,
        suggesters=[suggesters.of_name(name, output.workspace) for name in given.suggest],
    )  # fmt: skip
    return making.create(store, given.files, wish, fields=fields_of(given.fields), gold=given.gold)


def _as_it_is(project: Project, given: argparse.Namespace, output: Output) -> Project:
    """A project that is there already; what would have made another one is not silently passed over."""
    wishes = {
        "--labels": given.labels, "--guideline": given.guideline, "--gold": given.gold,
        "--twice": given.twice, "--order": given.order != "given", "--suggest": given.suggest,
        "--doubtful": given.doubtful, "--task": given.task and given.task != project.task,
    }  # fmt: skip
    if said := ", ".join(name for name, value in wishes.items() if value):
        output.hint(output.say("label_there_already", name=project.name, options=said))
    return project


def _is_name(given: argparse.Namespace) -> bool:
    """Whether what was given can only be meant as the name of a project: it is no path of a file."""
    (first, *others) = given.files
    return not others and not Path(first).suffix and Path(first).name == first


def _guideline(file: Path | None) -> str:
    if file is None:
        return ""
    if not file.is_file():
        raise NotFoundError("C01", file=file)
    return file.read_text(encoding="utf-8", errors="replace")


def _labels(said: str | None) -> list[str]:
    return (
        [] if said is None else [name.strip() for name in said.replace("，", ",").split(",") if name.strip()]
    )


def _label(store: Store, project: Project, given: argparse.Namespace, output: Output) -> int:
    from tunesmith.cli.keyboard import keyboard
    from tunesmith.cli.label_view import label
    from tunesmith.workflow.labelling.following import Background
    from tunesmith.workflow.labelling.session import Session

    background = Background(store, output.workspace)
    background.begin(project)
    session = Session(store, project, given.annotator or getpass.getuser(), told=background.labelled)
    try:
        label(session, keyboard(), output)
    finally:
        session.close()
        _show_standing(store, project, output)
        background.join()
        if error := background.failed.get(project.name):
            output.hint(output.say("label_no_suggestions"))
            output.hint(render(error.problems[0], output.lang))
    return 0


def _show_standing(store: Store, project: Project, output: Output) -> None:
    standing = asdict(store.standing(project.name))
    output.data({"project": project.name, "task": project.task, **standing})
    output.line(output.say("label_standing", name=project.name, **standing))


def _status(store: Store, project: Project, output: Output) -> int:
    from tunesmith.cli.label_report import show
    from tunesmith.workflow.labelling.following import Background
    from tunesmith.workflow.labelling.quality import quality

    standing, found = asdict(store.standing(project.name)), quality(store, project.name)
    stopping = Background(store, output.workspace).of(project).stopping()
    own = {"quality": asdict(found), "stopping": asdict(stopping)}
    output.data({"project": project.name, "task": project.task, **standing, **own})
    output.line(output.say("label_standing", name=project.name, **standing))
    show(found, stopping, output)
    return 0


def _list(store: Store, output: Output) -> int:
    found = [(project, store.standing(project.name)) for project in store.projects()]
    output.data({"projects": [_listed(project, asdict(standing)) for project, standing in found]})
    if not found:
        output.hint(output.say("label_none"))
        return 0
    names = ("name", "kind", "items", "decided", "labels")
    rows = [[p.name, p.task, f"{s.items:,}", f"{s.decided:,}", str(len(p.labels) or "")] for p, s in found]
    output.table([output.say(f"column_label_{name}") for name in names], rows)
    return 0


def _listed(project: Project, standing: dict[str, Any]) -> dict[str, Any]:
    return {"name": project.name, "task": project.task, "source": project.source, **standing}


def _export(store: Store, project: Project, given: argparse.Namespace, output: Output) -> int:
    from tunesmith.workflow.labelling.exporting import export

    made = export(store, project.name, given.out, given.to)
    output.data({"out": str(given.out), **asdict(made)})
    output.line(output.say("label_exported", **asdict(made)))
    output.line(output.say("written", file=given.out))
    return 0


def _remove(store: Store, given: argparse.Namespace, output: Output) -> int:
    from tunesmith.workflow.labelling.making import name_of

    known = {project.name for project in store.projects()}
    named = given.project or given.files[0]
    # Who made a project of a file may mean it by the file.
    name = named if named in known else name_of(named) if name_of(named) in known else named
    store.remove_project(name)
    output.data({"project": name, "removed": True})
    output.line(output.say("label_removed", name=name))
    return 0
