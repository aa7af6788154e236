"""Two answers to one prompt, the better and the worse: LLaMA-Factory's ranking and TRL's two forms."""

from __future__ import annotations

from typing import Any, ClassVar

from tunesmith.data import names, shapes
from tunesmith.data.conversation import Tags, Turn, checked_answer, checked_prompt, message, turns_of
from tunesmith.data.layouts.chat import given_tools, openai, sharegpt, tools_of
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample, UnfitError
from tunesmith.data.layouts.pairs import answer_of, beside_prompt, is_turns, prompt_of

_PROMPTS = ("instruction", "prompt", "question", "query", "指令", "问题")


class Preference(RowLayout):
    """{"prompt", "chosen", "rejected"}: texts, messages, or (TRL's implicit form) whole conversations."""

    name: ClassVar[str] = "trl"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.PREFERRED
    fields: ClassVar[tuple[str, ...]] = shapes.FIELDS[shapes.PREFERRED]

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """Columns for both answers, and a prompt where there is one."""
        chosen = fields.get("chosen") or sample.named(*names.CHOSEN)
        rejected = fields.get("rejected") or sample.named(*names.REJECTED)
        if not chosen or not rejected:
            return []
        asked = fields.get("messages") or fields.get("prompt") or self._prompt(sample)
        found = {**beside_prompt(sample, fields), "chosen": chosen, "rejected": rejected}
        return [{**found, "prompt": asked} if asked else found]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether there is an answer."""
        return row[mapping["chosen"]] is not None or row[mapping["rejected"]] is not None

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """Prompt, chosen, rejected and tools."""
        chosen, rejected = row[mapping["chosen"]], row[mapping["rejected"]]
        if is_turns(chosen) and is_turns(rejected):
            prompt, better, worse = _of_turns(row, mapping)
        elif "prompt" in mapping:
            prompt = prompt_of(row, mapping)
            better, worse = answer_of(chosen, mapping), answer_of(rejected, mapping)
        else:
            prompt, better, worse = _of_texts(chosen, rejected)
        if better == worse:
            raise RefusedError("same_answers")
        return checked_prompt(prompt), checked_answer(better), checked_answer(worse), tools_of(row, mapping)

    def write(self, row: Row) -> Row:
        """TRL's explicit form, conversational."""
        parts = {name: openai(row[name]) for name in ("prompt", "chosen", "rejected")}
        return {**parts, **given_tools(row["tools"], decoded=True)}

    def _prompt(self, sample: Sample) -> str | None:
        return sample.named(*names.CONVERSATION, *_PROMPTS)


class Ranking(Preference):
    """{"conversations": [...], "chosen": {"from", "value"}, "rejected": {...}}, as LLaMA-Factory has it."""

    name: ClassVar[str] = "ranking"
    is_written: ClassVar[bool] = True

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether answers are single messages, or the prompt is alpaca's."""
        is_alpaca = mapping.get("prompt", "").casefold() in ("instruction", "指令")
        return super().takes(row, mapping) and (is_alpaca or isinstance(row[mapping["chosen"]], dict))

    def write(self, row: Row) -> Row:
        """Sharegpt with both answers."""
        chosen, rejected = (_only(sharegpt(row[name])) for name in ("chosen", "rejected"))
        tools = given_tools(row["tools"], decoded=False)
        return {"conversations": sharegpt(row["prompt"]), "chosen": chosen, "rejected": rejected, **tools}


class RankedOutputs(RowLayout):
    """Alpaca whose output is a list, the better answer first: {"instruction", "output": [text, text]}."""

    name: ClassVar[str] = "ranked_outputs"
    shape: ClassVar[str] = shapes.PREFERRED
    fields: ClassVar[tuple[str, ...]] = ("system", "prompt", "input", "history", "chosen")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """An instruction, and two texts in every output."""
        prompt = fields.get("prompt") or sample.named("instruction", "prompt")
        outputs = fields.get("chosen") or sample.named("output")
        if not prompt or not outputs or not sample.all_are(outputs, _is_pair):
            return []
        return [{**beside_prompt(sample, fields), "prompt": prompt, "chosen": outputs}]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether there are two outputs."""
        return _is_pair(row[mapping["chosen"]])

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """Prompt, chosen and rejected."""
        prompt = checked_prompt(prompt_of(row, mapping))
        better, worse = (checked_answer(answer_of(text, mapping)) for text in row[mapping["chosen"]])
        if better == worse:
            raise RefusedError("same_answers")
        return prompt, better, worse, tools_of(row, mapping)


def _of_turns(row: Row, mapping: Mapped) -> tuple[list[Turn], list[Turn], list[Turn]]:
    """Answers that are messages: the common beginning is the prompt unless they begin with the assistant."""
    tags = Tags.of(mapping)
    chosen, rejected = (turns_of(row[mapping[name]], tags) for name in ("chosen", "rejected"))
    if "prompt" in mapping and chosen[0]["role"] == rejected[0]["role"] == "assistant":
        return prompt_of(row, mapping), chosen, rejected
    return _divided(chosen, rejected)


def _divided(chosen: list[Turn], rejected: list[Turn]) -> tuple[list[Turn], list[Turn], list[Turn]]:
    """What both begin with is the prompt; at least one turn of each is left."""
    common = 0
    while common < min(len(chosen), len(rejected)) - 1 and chosen[common] == rejected[common]:
        common += 1
    return chosen[:common], chosen[common:], rejected[common:]


def _of_texts(chosen: Any, rejected: Any) -> tuple[list[Turn], list[Turn], list[Turn]]:
    """Whole dialogues as text, as in HH-RLHF: what both begin with, up to the last answer, is the prompt."""
    if not isinstance(chosen, str) or not isinstance(rejected, str):
        raise RefusedError("bad_messages")
    return _divided(_dialogue(chosen), _dialogue(rejected))


def _dialogue(text: str) -> list[Turn]:
    turns: list[Turn] = []
    for part in text.split("\n\n"):
        role, colon, said = part.partition(":")
        if colon and role in ("Human", "Assistant"):
            turns.append(message("user" if role == "Human" else "assistant", said.strip()))
        elif turns:
            turns[-1]["content"] = f"{turns[-1]['content']}\n\n{part}"
        elif part.strip():
            raise RefusedError("empty_prompt")
    if not turns:
        raise RefusedError("empty_prompt")
    return turns


def _only(turns: list[Row]) -> Row:
    if len(turns) != 1:
        raise UnfitError("several_answers")
    return turns[0]


def _is_pair(cell: Any) -> bool:
    return isinstance(cell, list) and len(cell) == 2 and all(isinstance(text, str) for text in cell)
