"""Conversations that were found good or bad one by one (KTO)."""

from __future__ import annotations

from typing import Any, ClassVar

from tunesmith.data import names, shapes
from tunesmith.data.conversation import Tags, Turn, checked, turns_of
from tunesmith.data.layouts.chat import given_tools, openai, system_of, tools_of
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample
from tunesmith.data.layouts.pairs import answer_of, beside_prompt, known_pairs, prompt_of

# True and False find 1 and 0.
_JUDGED = {1: True, 0: False, "true": True, "false": False, "1": True, "0": False}


class Rated(RowLayout):
    """{"messages", "label": bool} or {"prompt", "completion", "label"}; LLaMA-Factory calls it `kto_tag`."""

    name: ClassVar[str] = "kto"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.RATED
    fields: ClassVar[tuple[str, ...]] = shapes.FIELDS[shapes.RATED]

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """A verdict of yes or no beside a conversation or a pair."""
        verdict = fields.get("desirable") or sample.named(*names.DESIRABLE)
        if not verdict or ("desirable" not in fields and not self._is_verdict(sample, verdict)):
            return []
        beside = {**beside_prompt(sample, fields), "desirable": verdict}
        if {"prompt", "completion"} <= fields.keys():
            return [{**beside, "prompt": fields["prompt"], "completion": fields["completion"]}]
        turns = (
            [fields["messages"]] if "messages" in fields else names.all_of(names.CONVERSATION, sample.columns)
        )
        found: list[Mapped] = [{**beside, "messages": column} for column in turns]
        return found or [{**beside, "prompt": p, "completion": c} for p, c in known_pairs(sample)]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether there is anything to judge."""
        return row[mapping.get("messages") or mapping["prompt"]] is not None

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The conversation, the verdict and the tools."""
        turns = checked(self._turns(row, mapping))
        verdict = row[mapping["desirable"]]
        if isinstance(verdict, str):
            verdict = verdict.strip().casefold()
        if not isinstance(verdict, str | int) or verdict not in _JUDGED:
            raise RefusedError("bad_rating")
        return turns, _JUDGED[verdict], tools_of(row, mapping)

    def write(self, row: Row) -> Row:
        """The row as LLaMA-Factory's demo has it."""
        tools = given_tools(row["tools"], decoded=True)
        return {"messages": openai(row["messages"]), "label": row["desirable"], **tools}

    def _turns(self, row: Row, mapping: Mapped) -> list[Turn]:
        if "messages" in mapping:
            return [*system_of(row, mapping), *turns_of(row[mapping["messages"]], Tags.of(mapping))]
        return [*prompt_of(row, mapping), *answer_of(row[mapping["completion"]], mapping)]

    def _is_verdict(self, sample: Sample, column: str) -> bool:
        return column.casefold() == "kto_tag" or sample.all_are(column, lambda cell: isinstance(cell, bool))


class Judged(Rated):
    """The same as preferences of which one answer is missing: the better where it was found bad."""

    name: ClassVar[str] = "judged"
    is_written: ClassVar[bool] = False
    shape: ClassVar[str] = shapes.PREFERRED

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """What comes before the last turn, the last turn on its side, and the tools."""
        turns, desirable, tools = super().read(row, mapping)
        answer, nothing = turns[-1:], list[Turn]()
        return turns[:-1], *((answer, nothing) if desirable else (nothing, answer)), tools
