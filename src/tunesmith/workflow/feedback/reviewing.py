"""Review of feedback as a labelling project: what is labelled is learned so, what is skipped is not.

The project of a model is called `feedback-NAME`. It has an item for each row that an opinion made, and
suggests what the opinion says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from tunesmith.core.errors import NotFoundError
from tunesmith.core.store import Store
from tunesmith.core.store.labelling import Item, Project, Suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.data.annotation.kinds import LABELLED
from tunesmith.data.annotation.outcome import Outcome, outcomes
from tunesmith.workflow.feedback.answered import Row
from tunesmith.workflow.feedback.forms import form_of, kind_of
from tunesmith.workflow.feedback.opinions import ID, KIND, gather, labels_of
from tunesmith.workflow.feedback.versions import USE
from tunesmith.workflow.labelling.making import with_keys

_LONGEST = 64


def project_name(name: str) -> str:
    """The project in which the feedback on a model is reviewed."""
    return f"feedback-{name}"[:_LONGEST]


def prepare(store: Store, workspace: Workspace, name: str) -> Project:
    """The project of a model's feedback, with what was said since the last time.

    Raises:
        NotFoundError: A07 when nobody said anything that could be learned.
    """
    rows, _ = gather(workspace.requests, name)
    if not rows:
        raise NotFoundError("A07", name=name)
    kind = Counter(map(kind_of, rows)).most_common(1)[0][0]
    project = _project(store, project_name(name), kind)
    known = {_id(item) for item in store.items(project.name)} if project.created else set()
    fresh = [row for row in rows if kind_of(row) == kind and row[ID] not in known]
    labelled = _with_labels(project, [*labels_of(workspace.requests, name), *_labels(fresh)])
    if not project.created:
        return store.create_project(labelled, _items(fresh))
    store.change_project(labelled)
    store.add_items(project.name, _items(fresh))
    return labelled


def decided(store: Store, name: str, rows: Sequence[Row]) -> dict[str, Row]:
    """What was decided about rows in their project, by the answer that a row comes from."""
    project = next((one for one in store.projects() if one.name == project_name(name)), None)
    if project is None:
        return {}
    by_number = {item.number: _id(item) for item in store.items(project.name)}
    found = outcomes(project.task, store.standing_decisions(project.name))
    said = {by_number[one.item]: one for one in found}
    made = ((row, said[row[ID]]) for row in rows if row[ID] in said and kind_of(row) == project.task)
    return {row[ID]: use for row, one in made if (use := _decided(row, one)) is not None}


def _decided(row: Row, outcome: Outcome) -> Row | None:
    if outcome.answer is not None:
        return {**form_of(row).put(row, outcome.answer), USE: True}
    # Skipped by all who looked; where they disagree nothing is decided.
    return None if any(one.kind == "label" for one in outcome.decisions) else {**row, USE: False}


def _project(store: Store, name: str, kind: str) -> Project:
    known = {project.name: project for project in store.projects()}
    return known.get(name) or Project(name=name, task=kind, source=name)


def _with_labels(project: Project, names: Sequence[str]) -> Project:
    """The project with labels that it did not know at the end; those that it has keep their keys."""
    if project.task not in LABELLED:
        return project
    known = [f"{label.name}={label.key}" if label.key else label.name for label in project.labels]
    have = {label.name for label in project.labels}
    return replace(project, labels=with_keys([*known, *(n for n in dict.fromkeys(names) if n not in have)]))


def _labels(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        yield from [row["label"]] if "label" in row else [span["label"] for span in row.get("spans", ())]


def _items(rows: Sequence[Row]) -> Iterator[Item]:
    for number, row in enumerate(rows):
        form = form_of(row)
        yield Item(
            number=number, rank=float(number), content={**form.content(row), "beside": {ID: row[ID]}},
            suggested=(Suggestion(by=row[KIND], answer=form.said(row), score=1.0),),
        )  # fmt: skip


def _id(item: Item) -> str:
    return str(item.content.get("beside", {}).get(ID, ""))
