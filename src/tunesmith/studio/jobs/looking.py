"""Work on data sets as jobs: their profile, a cleaned copy, what another one repeats of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunesmith.core import durable
from tunesmith.studio.jobs.context import Context

_PAIRS = 50
_WRITTEN = (".csv", ".tsv", ".jsonl", ".parquet")


def profile(wishes: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Measure the rows of a data set, and keep that beside it."""
    from tunesmith.studio.datasets import library
    from tunesmith.workflow.dataset import looking

    one = library.find(context.workspace, wishes["dataset"])
    context.subject = one.id
    measured = looking.profile(one.section(), workspace=context.workspace, model=wishes["model"])
    durable.write_json(library.folder(context.workspace, one.id) / "profile.json", measured)
    return {"dataset": one.id, "rows": measured["rows"]}


def clean(wishes: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Clean a data set into a new one, which remembers where it came from."""
    from tunesmith.studio.datasets import library
    from tunesmith.workflow.dataset.cleaning import clean_files

    one = library.find(context.workspace, wishes["dataset"])
    context.subject = one.id
    source = Path(one.path)
    suffix = source.suffix.lower() if source.suffix.lower() in _WRITTEN else ".jsonl"
    out = context.folder / f"{source.name.partition('.')[0]}.clean{suffix}"
    made = clean_files(one.section(clean=wishes["clean"]), out, layout=None, threads=None)
    kept = {name: made[name] for name in ("rows", "ledger", "cleaned")}
    origin = library.Origin(
        path=out, name=f"{one.name} (clean)", task=one.task, move=True, parent=one.id, by=one.by,
        made={"clean": wishes["clean"], **kept},
    )  # fmt: skip
    return {"dataset": library.take_in(context.workspace, origin).id, **kept}


def overlap(wishes: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Find what of another data set is in this one too, and keep that beside it."""
    from tunesmith.studio.datasets import library
    from tunesmith.workflow.dataset import overlapping

    one, other = (library.find(context.workspace, wishes[name]) for name in ("dataset", "other"))
    context.subject = one.id
    found = overlapping.overlap(one.section(), other.section(), least=wishes["least"], shown=_PAIRS)
    place = library.overlap(context.workspace, one, other)
    place.parent.mkdir(exist_ok=True)
    durable.write_json(place, {"least": wishes["least"], **found})
    return {"dataset": one.id, "other": other.id, "repeated": found["repeated"], "exact": found["exact"]}
