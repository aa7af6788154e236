"""A file of ratings: a line of JSON for each, of a pair (`choice`) or of one answer (`score`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from tunesmith.core import durable
from tunesmith.core.errors import DataError, NotFoundError
from tunesmith.eval.judges.verdicts import Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRating:
    """Which of two answers somebody found better; `shown` says which one they saw first."""

    prompt: str
    a: str
    b: str
    choice: Choice
    shown: Literal["a", "b"] = "a"
    kind: Literal["pair"] = "pair"

    @property
    def id(self) -> str:
        """What was rated, whatever was said of it."""
        return pair_id(self.prompt, self.a, self.b)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRating:
    """How good somebody found an answer."""

    prompt: str
    answer: str
    score: Annotated[int, Field(ge=1)]
    kind: Literal["score"] = "score"


Rating: TypeAlias = PairRating | ScoreRating


def pair_id(prompt: str, a: str, b: str) -> str:
    """The same for the same pair."""
    return hashlib.sha256(json.dumps([prompt, a, b]).encode()).hexdigest()


def read(path: Path) -> Sequence[Rating]:
    """All ratings of a file, of one kind.

    Raises:
        NotFoundError: C01 when the file does not exist.
        DataError: C51 for a line that is no rating, or of the other kind.
    """
    if not path.is_file():
        raise NotFoundError("C01", file=path)
    adapter: TypeAdapter[Rating] = TypeAdapter(PairRating | ScoreRating)
    found: list[Rating] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found.append(adapter.validate_json(line))
        except ValidationError as error:
            raise DataError("C51", file=path, line=number, reason=error.errors()[0]["msg"]) from error
        if found[-1].kind != found[0].kind:
            raise DataError("C51", file=path, line=number, reason=f"{found[0].kind} / {found[-1].kind}")
    return found


def append(path: Path, rating: Rating) -> None:
    """Add a rating; it is in the file when this returns.

    Raises:
        TunesmithError: C02 when the system refuses to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.append_line(path, json.dumps(asdict(rating), ensure_ascii=False))
