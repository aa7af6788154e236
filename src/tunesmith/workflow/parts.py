"""The data stage: prepared splits on disk, and read back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.core import durable
from tunesmith.core.errors import Problem, TunesmithError
from tunesmith.data.ledger import Ledger
from tunesmith.data.prepare import Prepared, prepare
from tunesmith.models.card import UNANSWERABLE
from tunesmith.workflow import augmenting
from tunesmith.workflow.plan import Plan

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Prepared data: a frame for each split that has rows, the ledger, and what was found out on the way."""

    splits: dict[str, pl.DataFrame]
    ledger: Ledger
    sources: list[dict[str, Any]]
    warnings: tuple[Problem, ...]
    cleaned: dict[str, dict[str, int]]
    augmented: dict[str, dict[str, int]]
    cached: bool

    def split(self, name: str) -> pl.DataFrame:
        """The rows of a split; none if it has none."""
        return self.splits.get(name, self.splits["train"].clear())

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels of all splits, of rows or of spans, sorted; and whether a question has no answer."""
        frames = self.splits.values()
        one = [frame["label"] for frame in frames if "label" in frame.columns]
        several = [frame["labels"].explode().drop_nulls() for frame in frames if "labels" in frame.columns]
        spans = [frame["spans"].explode().drop_nulls() for frame in frames if "spans" in frame.columns]
        named = [column.struct.field("label") for column in spans]
        found = {label for column in (*one, *several, *named) for label in column}
        asked = [frame["answers"] for frame in frames if "answers" in frame.columns]
        if any((answers.list.len() == 0).any() for answers in asked):
            found.add(UNANSWERABLE)
        return tuple(sorted(found))

    @property
    def scale(self) -> tuple[float, float]:
        """The mean and the spread of the numbers to be learned; 0 and 1 where rows have none."""
        if "score" not in (rows := self.splits["train"]).columns:
            return 0.0, 1.0
        scores = rows["score"].to_numpy()
        return float(scores.mean()), float(scores.std()) or 1.0

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest of the numbers to be learned from; 0 and 1 where rows have none."""
        if "score" not in (rows := self.splits["train"]).columns:
            return 0.0, 1.0
        scores = rows["score"].to_numpy()
        return float(scores.min()), float(scores.max())

    @property
    def held_out(self) -> str:
        """The part to judge a model on: test, else validation."""
        return next((name for name in ("test", "validation") if name in self.splits), "test")


def make(plan: Plan) -> Parts:
    """Carry out the data stage, or read its result if it was carried out before.

    Raises:
        DataError: all problems of the data; nothing is written then.
    """
    folder = plan.workspace.cache / f"data-{plan.prepared_key[:32]}"
    cached = durable.is_valid(folder)
    if not cached:
        with _nothing_left_behind(plan.workspace.root), durable.new_folder(folder) as new:
            _note(_prepare(plan, new), new)
    return _read(folder, cached)


@contextmanager
def _nothing_left_behind(root: Path) -> Iterator[None]:
    """A workspace that was made for data which turns out not to be usable goes again."""
    existed = root.exists()
    try:
        yield
    except TunesmithError:
        if not existed:
            shutil.rmtree(root, ignore_errors=True)
        raise


def _prepare(plan: Plan, folder: Path) -> Prepared:
    recipe = plan.recipe
    return prepare(
        recipe.data,
        shape=plan.task.shape,
        seed=recipe.seed,
        base=plan.base,
        folder=folder,
        helpers=augmenting.helpers(plan.workspace, plan.base),
    )


def _note(prepared: Prepared, folder: Path) -> None:
    """What was found out about the rows, beside them."""
    found = {
        "sources": [asdict(source) for source in prepared.sources],
        "warnings": [asdict(warning) for warning in prepared.warnings],
        "cleaned": prepared.cleaned,
        "augmented": prepared.augmented,
    }
    prepared.ledger.write(folder / "ledger.parquet")
    text = json.dumps(found, ensure_ascii=False, default=str)
    (folder / "data.json").write_text(text, encoding="utf-8")


def _read(folder: Path, cached: bool) -> Parts:
    found = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    paths = {name: folder / f"{name}.parquet" for name in SPLITS}
    return Parts(
        splits={name: pl.read_parquet(path) for name, path in paths.items() if path.exists()},
        ledger=Ledger.load(folder / "ledger.parquet"),
        sources=found["sources"],
        warnings=tuple(Problem(**warning) for warning in found["warnings"]),
        cleaned=found["cleaned"],
        augmented=found["augmented"],
        cached=cached,
    )
