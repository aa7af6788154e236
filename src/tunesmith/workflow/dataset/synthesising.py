"""Rows that a model makes up, label by label, after examples: marked as such for ever, and none twice.

The model is asked with other examples each time, at temperature 0: a hosted model's answers are kept, so that
asking again costs nothing and gives the same rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from tunesmith.core import durable
from tunesmith.core.errors import DataError, ModelError
from tunesmith.data.augmenting.checking import HELD_OUT, REPEATED, like_held_out
from tunesmith.data.augmenting.passage import dice_of
from tunesmith.data.batches import REST
from tunesmith.data.identity import asked
from tunesmith.data.loading import stop_for
from tunesmith.data.pipeline import stream
from tunesmith.data.shapes import LABELLED
from tunesmith.workflow.dataset import converting
from tunesmith.workflow.dataset.section import Section
from tunesmith.workflow.dataset.target import check_out

BY = "synthetic_by"
"""The column that names the model which made a row up; it stays with the row through every command."""
UNREADABLE = "unreadable"
_SIMILAR = 0.8
_SHOWN, _AT_ONCE, _TRIES = 5, 10, 3
_ASKED = (
    "You make up texts to train a classifier. Answer with a JSON array of {count} strings and nothing else. "
    "Each is a new text with the label `{label}`, in the language of the examples, unlike them in its words "
    "(只回答一个含 {count} 个字符串的 JSON 数组，每个都是标签为 `{label}` 的新文本).\n{rubric}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is to be made up: so many rows of each label, by a model, after a rubric in words."""

    by: str
    rows: int
    rubric: str = ""


@dataclass(slots=True, kw_only=True)
class _Made:
    """The rows so far, and why others are not among them."""

    rows: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    counts: Counter[str] = field(default_factory=Counter[str])


def synthesise(
    section: Section, wishes: Wishes, model: Any, out: Path, *, held_out: Section | None, layout: str | None
) -> dict[str, Any]:
    """Write rows that `model` makes up after those of a section; none is like those, or like a held-out one.

    Raises:
        NotFoundError, DataError: when files cannot be read; A04 for rows without one label each.
        UsageError: U08 when `out` is read itself. ModelError: A05, M66, M67 when the model cannot be asked.
    """
    check_out(section, out)
    if section.shape != LABELLED:
        raise DataError("A04", shape=section.shape)
    if not hasattr(model, "chat"):
        raise ModelError("A05", name=wishes.by)
    with TemporaryDirectory() as scratch:
        real = _rows(section, Path(scratch) / "real")
        kept_out = [_rows(held_out, Path(scratch) / "held")] if held_out else []
        made = _Made()
        for label in sorted(real["label"].unique()):
            _fill(made, label, real, kept_out, wishes, model, section.seed)
        frame = _frame(made.rows, wishes.by)
        with durable.scratch(out.absolute().parent) as folder:
            written = converting.write_rows(lambda: [frame], out, section.shape, layout, folder)
    return {"out": str(out), "rows": written, "made": {wishes.by: {"made": written, **made.counts}}}


def _rows(section: Section, folder: Path) -> pl.DataFrame:
    streamed = stream(section.data, shape=section.shape, base=section.base, folder=folder)
    stop_for(streamed.problems)
    return pl.concat(converting.frames_of(streamed)).select("text", "label")


def _fill(
    made: _Made,
    label: str,
    real: pl.DataFrame,
    held_out: Sequence[pl.DataFrame],
    wishes: Wishes,
    model: Any,
    seed: int,
) -> None:
    """Ask for texts of a label until there are enough, or the model has been asked often enough."""
    known = real.filter(pl.col("label") == label)["text"].to_list()
    missing = wishes.rows
    for turn in range(_TRIES * -(-wishes.rows // _AT_ONCE)):
        texts = list(_texts(model, label, known, wishes, min(missing, _AT_ONCE), dice_of(seed, label, turn)))
        made.counts[UNREADABLE] += not texts
        new = _new(texts, made, real, held_out)[:missing]
        made.rows += [{"text": text, "label": label} for text in new]
        missing -= len(new)
        if not missing:
            break
    made.counts = +made.counts


def _texts(
    model: Any, label: str, known: Sequence[str], wishes: Wishes, count: int, dice: Any
) -> Iterator[str]:
    shown = dice.sample(list(known), min(_SHOWN, len(known)))
    turns = [
        {"role": "system", "content": _ASKED.format(count=count, label=label, rubric=wishes.rubric)},
        {"role": "user", "content": json.dumps(shown, ensure_ascii=False)},
    ]
    answer = model.chat(turns, temperature=0.0, max_new_tokens=200 * count)
    start, end = answer.find("["), answer.rfind("]")
    with suppress(ValueError):
        found = json.loads(answer[start : end + 1])
        yield from (text.strip() for text in found if isinstance(text, str) and text.strip())


def _new(
    texts: Sequence[str], made: _Made, real: pl.DataFrame, held_out: Sequence[pl.DataFrame]
) -> list[str]:
    """Those texts that are like no row there is, none that was made, and none that is held out."""
    kept: list[str] = []
    for text in texts:
        one = asked(pl.DataFrame({"text": [text]}))
        before = pl.DataFrame({"text": [*real["text"], *(row["text"] for row in made.rows), *kept]})
        if _is_like(one, [before]):
            made.counts[REPEATED] += 1
        elif held_out and _is_like(one, held_out):
            made.counts[HELD_OUT] += 1
        else:
            kept.append(text)
    return kept


def _is_like(one: pl.Series, frames: Sequence[pl.DataFrame]) -> bool:
    with TemporaryDirectory() as folder:
        return bool(like_held_out(one, frames, Path(folder), _SIMILAR)[0])


def _frame(rows: Sequence[dict[str, str]], by: str) -> pl.DataFrame:
    """The rows with their model among the cells beside the shape."""
    rest = json.dumps({BY: by}, ensure_ascii=False)
    cells = [{**row, "_row": at, REST: rest} for at, row in enumerate(rows)]
    schema = {"text": pl.String, "label": pl.String, "_row": pl.Int64, REST: pl.String}
    return pl.DataFrame(cells, schema=schema)
