"""A prompt in one column and its answer in another: alpaca, prompt and completion, question and answer."""

from __future__ import annotations

from typing import Any, ClassVar

from tunesmith.data import names, shapes
from tunesmith.data.conversation import Tags, Turn, checked, message, text_of, turns_of
from tunesmith.data.layouts.chat import beside_turns, given_tools, openai, system_of, tools_of
from tunesmith.data.layouts.layout import Mapped, RefusedError, Row, RowLayout, Sample, UnfitError

PROMPT = ("system", "prompt", "input", "history", "tools", *shapes.ROLE_TAGS)
_ALPACA = ("instruction", "指令")
_QUESTION = ("question", "query", "问题", "提问")


class PromptCompletion(RowLayout):
    """{"prompt", "completion"}, texts or (TRL) lists of messages."""

    name: ClassVar[str] = "prompt_completion"
    is_written: ClassVar[bool] = True
    shape: ClassVar[str] = shapes.MESSAGES
    fields: ClassVar[tuple[str, ...]] = (*PROMPT, "completion")

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """The columns the user named, else every known pair."""
        if {"prompt", "completion"} <= fields.keys():
            found = [(fields["prompt"], fields["completion"])]
        else:
            found = known_pairs(sample)
        beside = beside_prompt(sample, fields)
        pairs = [(p, c) for p, c in found if self._names(p)]
        return [{"prompt": prompt, "completion": answer, **beside} for prompt, answer in pairs]

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether there is a prompt."""
        return row[mapping["prompt"]] is not None

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """The conversation and its tools."""
        turns = prompt_of(row, mapping)
        return checked([*turns, *answer_of(row[mapping["completion"]], mapping)]), tools_of(row, mapping)

    def write(self, row: Row) -> Row:
        """Texts where there is one question and one answer, else messages."""
        turns, tools = row["messages"], given_tools(row["tools"], decoded=True)
        if [turn["role"] for turn in turns] == ["user", "assistant"] and not turns[1]["tool_calls"]:
            return {"prompt": turns[0]["content"], "completion": turns[1]["content"], **tools}
        return {"prompt": openai(turns[:-1]), "completion": openai(turns[-1:]), **tools}

    def _names(self, prompt: str) -> bool:
        return prompt.casefold() not in (*_ALPACA, *_QUESTION)


class Alpaca(PromptCompletion):
    """{"instruction", "input", "output", "system", "history": [[question, answer]]}."""

    name: ClassVar[str] = "alpaca"
    is_written: ClassVar[bool] = True

    def write(self, row: Row) -> Row:
        """The row as LLaMA-Factory reads it; the whole question is the instruction."""
        if row["tools"]:
            raise UnfitError("tools")
        return alpaca(row["messages"])

    def _names(self, prompt: str) -> bool:
        return prompt.casefold() in _ALPACA


class QuestionAnswer(PromptCompletion):
    """{"question", "answer"}, as in GSM8K."""

    name: ClassVar[str] = "question_answer"
    is_written: ClassVar[bool] = False

    def _names(self, prompt: str) -> bool:
        return prompt.casefold() in _QUESTION


class SelfInstruct(RowLayout):
    """{"instruction", "instances": [{"input", "output"}]}; several instances become several turns."""

    name: ClassVar[str] = "self_instruct"
    shape: ClassVar[str] = shapes.MESSAGES
    fields: ClassVar[tuple[str, ...]] = ("prompt",)

    def find(self, sample: Sample, fields: Mapped) -> list[Mapped]:
        """An instruction and a list of instances."""
        prompt, instances = fields.get("prompt") or sample.named("instruction"), sample.named("instances")
        is_list = sample.all_are(instances, lambda cell: isinstance(cell, list))
        return [{"prompt": prompt, "completion": instances}] if prompt and instances and is_list else []

    def takes(self, row: Row, mapping: Mapped) -> bool:
        """Whether there are instances."""
        return bool(row[mapping["completion"]])

    def read(self, row: Row, mapping: Mapped) -> tuple[Any, ...]:
        """A question for each instance: the instruction the first time, the inputs."""
        asked = [text_of(row[mapping["prompt"]])]
        turns: list[Turn] = []
        instances = row[mapping["completion"]]
        for instance in instances if isinstance(instances, list) else [None]:
            if not isinstance(instance, dict):
                raise RefusedError("bad_messages")
            asked.append(text_of(instance.get("input")))
            turns += [message("user", joined(asked)), message("assistant", instance.get("output"))]
            asked = []
        return checked(turns), None


def known_pairs(sample: Sample) -> list[tuple[str, str]]:
    """The columns of every known pair that is there."""
    found = [(sample.named(prompt), sample.named(*answers)) for prompt, answers in names.PAIRS]
    return [(prompt, answer) for prompt, answer in found if prompt and answer]


def beside_prompt(sample: Sample, fields: Mapped) -> dict[str, str]:
    """The columns of input, history, system and tools: those the user named, else those of these names."""
    found = {"input": sample.named(*names.INPUT), "history": sample.named(*names.HISTORY)}
    usual = {field: column for field, column in found.items() if column is not None}
    named = {field: fields[field] for field in ("input", "history") if field in fields}
    return {**usual, **named, **beside_turns(sample, fields)}


def prompt_of(row: Row, mapping: Mapped) -> list[Turn]:
    """System message, history and question of a row.

    Raises:
        RefusedError: empty_prompt, bad_messages, role_unknown.
    """
    cell = row[mapping["prompt"]]
    turns = system_of(row, mapping)
    if is_turns(cell):
        return turns + turns_of(cell, Tags.of(mapping))
    turns += _history(row[mapping["history"]]) if "history" in mapping else []
    parts = [text_of(cell), text_of(row[mapping["input"]]) if "input" in mapping else ""]
    if not any(part.strip() for part in parts):
        raise RefusedError("empty_prompt")
    return [*turns, message("user", joined(parts))]


def answer_of(cell: Any, mapping: Mapped) -> list[Turn]:
    """An answer as turns: a text, one message or several."""
    if isinstance(cell, dict):
        cell = [cell]
    return turns_of(cell, Tags.of(mapping)) if is_turns(cell) else [message("assistant", cell)]


def joined(parts: list[str]) -> str:
    """Instruction and input as one question."""
    return "\n".join(part for part in parts if part)


def is_turns(cell: Any) -> bool:
    """Whether a cell is a list of messages."""
    return isinstance(cell, list) and bool(cell) and isinstance(cell[0], dict)


def _history(history: Any) -> list[Turn]:
    """Earlier turns as alpaca has them: pairs of a question and an answer."""
    turns: list[Turn] = []
    if history in (None, "", []):
        return turns
    for pair in history if isinstance(history, list) else [None]:
        if not isinstance(pair, list) or len(pair) != 2:
            raise RefusedError("bad_messages")
        turns += [message("user", pair[0]), message("assistant", pair[1])]
    return turns


def alpaca(turns: list[Turn]) -> Row:
    """A conversation without tools as alpaca has it.

    Raises:
        UnfitError: tools.
    """
    if any(turn["tool_calls"] for turn in turns):
        raise UnfitError("tools")
    system = {"system": turns[0]["content"]} if turns[0]["role"] == "system" else {}
    spoken = [turn["content"] for turn in turns[1 if system else 0 :]]
    history = [list(pair) for pair in zip(spoken[:-2:2], spoken[1:-2:2], strict=True)]
    row: Row = {"instruction": spoken[-2], "input": "", "output": spoken[-1], **system}
    return {**row, "history": history} if history else row
