"""What is found in files without changing them: their profile, rows that are doubtful, the first rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import polars as pl

from tunesmith.core.errors import ModelError
from tunesmith.core.workspace import Workspace
from tunesmith.data import issues
from tunesmith.data.hygiene.issue import Issue, ranked
from tunesmith.data.identity import allows_near, said
from tunesmith.data.ledger import added
from tunesmith.data.loading import stop_for
from tunesmith.data.overlap import Alike, alike
from tunesmith.data.pipeline import Streamed, stream
from tunesmith.data.reading import open_file
from tunesmith.data.sources import locate
from tunesmith.data.table import RawTable
from tunesmith.data.texts import text_of
from tunesmith.workflow.dataset.section import Section

if TYPE_CHECKING:
    from tunesmith.data.profile import Row, Tokens

_MOST = 200_000
"""Doubts are looked for in so many rows at most: they are compared in memory."""
_SHOWN = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """Mapped rows on disk, what repeats among them, and what is doubtful."""

    section: Section
    streamed: Streamed
    alike: Alike
    least: float
    doubts: list[Issue]

    def place(self, row: int) -> tuple[str, int]:
        """File and line of a row."""
        return self.streamed.account.place(row)


def profile(
    section: Section, *, workspace: Workspace, model: str | None = None, command: str = ""
) -> dict[str, Any]:
    """Everything `data.profile` measures of the rows of a section, as they are before cleaning.

    With `model`, lengths are counted in its tokens too, against its context.

    Raises:
        NotFoundError, DataError: when a file or the model cannot be read.
    """
    from tunesmith.data.profile import File, Found, measure

    tokens = None if model is None else _tokens(model, workspace)
    with _looked_at(section) as rows:
        streamed = rows.streamed
        files = [
            File(
                path=section.base / source.path, split=source.split, format=source.format,
                encoding=source.encoding, delimiter=source.delimiter, rows=source.rows,
                kind=source.kind, mapping=source.mapping,
            )
            for source in streamed.sources
        ]  # fmt: skip
        found = Found(
            edges=rows.alike.by_row(),
            threshold=rows.least,
            issues=rows.doubts,
            dropped=streamed.account.summary()["dropped"],
            problems=streamed.warnings,
        )
        measured = measure(
            ((split, frame) for split in streamed.rows for frame in streamed.frames(split)),
            shape=section.shape, files=files, find=_finder(streamed), raw=_raw(section), found=found,
            tokens=tokens, command=command, seed=section.seed,
        )  # fmt: skip
        read = sum(source.rows for source in streamed.sources)
        return {**measured, "rows": read, "usable": measured["rows"], "ledger": streamed.account.summary()}


def doubts(section: Section) -> tuple[list[Issue], Callable[[int], tuple[str, int]]]:
    """Rows that are probably wrong or repeat others, the surest first; and the place of a row.

    Raises:
        NotFoundError, DataError: when a file cannot be read.
    """
    with _looked_at(section) as rows:
        return ranked([*rows.doubts, *_repeats(rows)]), rows.place


def first_rows(sections: Sequence[Section], count: int) -> dict[str, Any]:
    """How files were read, and the first rows of each section in the shape they were mapped to.

    Raises:
        NotFoundError, DataError: when a file cannot be read.
    """
    found = [_first_rows(section, count) for section in sections]
    return {
        "shapes": list(dict.fromkeys(section.shape for section in sections)),
        "sources": [source for one in found for source in one["sources"]],
        "ledger": added(one["ledger"] for one in found),
        "rows": [row for one in found for row in one["rows"]],
    }


def _first_rows(section: Section, count: int) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        streamed = stream(section.data, shape=section.shape, base=section.base, folder=Path(folder))
        stop_for(streamed.problems)
        shown: list[dict[str, Any]] = []
        for frame in _frames(streamed):
            shown += frame.head(count - len(shown)).to_dicts()
        places = (streamed.account.place(row.pop("_row")) for row in shown)
        return {
            "sources": [asdict(source) for source in streamed.sources],
            "ledger": streamed.account.summary(),
            "rows": [
                {"file": file, "line": line, **row} for (file, line), row in zip(places, shown, strict=True)
            ],
        }


@contextmanager
def _looked_at(section: Section) -> Iterator[_Rows]:
    with TemporaryDirectory() as folder:
        data = section.data.model_copy(update={"clean": []})
        streamed = stream(data, shape=section.shape, base=section.base, folder=Path(folder) / "rows")
        stop_for(streamed.problems)
        least = section.data.split.similar or 1.0
        yield _Rows(
            section=section,
            streamed=streamed,
            alike=_alike(streamed, Path(folder) / "alike", least),
            least=least,
            doubts=_doubts(streamed, section),
        )


def _frames(streamed: Streamed) -> Iterator[pl.DataFrame]:
    for split in streamed.rows:
        yield from streamed.frames(split)


def _alike(streamed: Streamed, folder: Path, least: float) -> Alike:
    first = next(_frames(streamed), None)
    near = first is None or allows_near(first)
    return alike(_frames(streamed), folder, least=least if near else None, by=said)


def _doubts(streamed: Streamed, section: Section) -> list[Issue]:
    frames, rows = [], 0
    for frame in _frames(streamed):
        frames.append(frame.head(_MOST - rows))
        rows += len(frames[-1])
        if rows >= _MOST:
            break
    return issues.find(pl.concat(frames), section.shape, seed=section.seed) if frames else []


def _repeats(rows: _Rows) -> Iterator[Issue]:
    """Each row that repeats an earlier one, beside the one most like it."""
    edges = rows.alike.by_row()
    seen: set[int] = set()
    order = (-edges.similarity).argsort(kind="stable")
    repeated = [(int(edges.first[i]), int(edges.second[i]), float(edges.similarity[i])) for i in order]
    texts = {row.row: row.text for row in _numbered(rows.streamed, [second for _, second, _ in repeated])}
    for first, second, similarity in repeated:
        if second not in seen:
            seen.add(second)
            file, line = rows.place(first)
            detail: dict[str, str | int] = {"of": f"{file}:{line}"}
            yield Issue(row=second, kind="duplicate", score=similarity, given=texts[second], detail=detail)


@dataclass(frozen=True, slots=True)
class _Text:
    row: int
    text: str
    label: str | None


def _numbered(streamed: Streamed, wanted: Sequence[int]) -> Iterator[_Text]:
    numbers = pl.Series(sorted(set(wanted)), dtype=pl.Int64).implode()
    for frame in _frames(streamed):
        own = frame.filter(pl.col("_row").is_in(numbers))
        labels = own["label"].to_list() if "label" in own.columns else [None] * len(own)
        texts = text_of(own).str.slice(0, _SHOWN).fill_null("")
        yield from map(_Text, own["_row"].to_list(), texts.to_list(), labels)


def _finder(streamed: Streamed) -> Callable[[Sequence[int]], list[Row]]:
    from tunesmith.data.profile import Row

    def find(wanted: Sequence[int]) -> list[Row]:
        found = {item.row: item for item in _numbered(streamed, wanted)}
        rows = []
        for row in wanted:
            file, line = streamed.account.place(row)
            rows.append(Row(file=file, line=line, text=found[row].text, label=found[row].label))
        return rows

    return find


def _raw(section: Section) -> Iterator[RawTable]:
    for split, entries in section.data.source.items():
        for entry in entries:
            for file in locate(entry.path, section.base, split):
                yield from open_file(file).batches()


def _tokens(model: str, workspace: Workspace) -> Tokens:
    from tunesmith.data.profile import Tokens
    from tunesmith.models import card, tokenizer
    from tunesmith.models.resolve import resolve

    folder = resolve(model, workspace, base=Path.cwd()).folder
    if folder is None:
        raise ModelError("D91", name=model)
    made = tokenizer.load(folder)
    return Tokens(
        model=model,
        count=lambda texts: [len(item.ids) for item in made.encode_batch_fast(texts)],
        context=card.read(folder).context,
    )
