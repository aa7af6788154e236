"""What conversations are made of: roles, turns, tools, system messages."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl

from tunesmith.data.profile.sample import Distinct
from tunesmith.data.profile.texts import messages

_MANY = 20


class Talks:
    """Counts over rows of messages, rated ones too."""

    def __init__(self) -> None:
        self._rows = 0
        self._roles: Counter[str] = Counter()
        self._turns: Counter[int] = Counter()
        self._with: Counter[str] = Counter()
        self._calls = 0
        self._desirable = 0
        self._rated = False
        self._systems = Distinct()
        self._answers = Distinct()

    def add(self, frame: pl.DataFrame, split: str) -> None:
        """Take a batch of conversations; the split does not matter."""
        del split
        self._rows += frame.height
        said = messages(frame, "messages")
        self._roles.update(dict(said.group_by("role").len().iter_rows()))
        users = said.filter(pl.col("role") == "user").group_by("at").len()["len"]
        self._turns.update(users.to_list())
        self._turns[0] += frame.height - len(users)
        systems = said.filter(pl.col("role") == "system")
        self._with["system"] += systems["at"].n_unique()
        self._systems.add(systems["content"])
        self._answers.add(said.filter(pl.col("role") == "assistant")["content"])
        self._add_tools(frame, said)
        if "desirable" in frame.columns:
            self._rated = True
            self._desirable += int(frame["desirable"].fill_null(False).sum())

    def _add_tools(self, frame: pl.DataFrame, said: pl.DataFrame) -> None:
        if "tools" in frame.columns:
            self._with["tools"] += frame.height - frame["tools"].null_count()
        if "tool_calls" in said.columns:
            calling = said.filter(pl.col("tool_calls").is_not_null())
            self._with["tool_calls"] += calling["at"].n_unique()
            self._calls += calling.height

    def result(self) -> dict[str, Any]:
        """Counts by role and by number of turns (of the user), and shares of rows."""
        turns = {size: rows for size, rows in self._turns.items() if rows}
        few = {str(size): rows for size, rows in sorted(turns.items()) if size <= _MANY}
        answers = self._roles["assistant"]
        return {
            "roles": dict(sorted(self._roles.items())),
            "turns": few,
            "more_turns": sum(rows for size, rows in turns.items() if size > _MANY),
            "longest": max(turns, default=0),
            "rows_with": dict(self._with),
            "tool_calls": self._calls,
            "different_systems": self._systems.count(),
            "different_answers_share": min(1.0, self._answers.count() / answers) if answers else None,
            "desirable_share": self._desirable / max(1, self._rows) if self._rated else None,
        }
