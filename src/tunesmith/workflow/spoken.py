"""What models write when they are talked to: answers, translations, summaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tunesmith.core.errors import ModelError
from tunesmith.eval.outcome import TextOutcome
from tunesmith.models.hosted import HostedModel
from tunesmith.models.turns import Message, Tools

if TYPE_CHECKING:
    import polars as pl

    from tunesmith.models.language import LanguageModel
    from tunesmith.tasks.task import Task

Talk = tuple[Sequence[Message], Tools]
"""The turns of a conversation, and the tools that it may call."""

METRICS = ("rouge_l", "chrf")
"""How answers of conversations are held to those in the data: their likelihoods are not told."""
_INSTRUCTIONS = {
    "translate": "Translate the user's text into the language `{language}` (ISO 639-1) and answer with the "
    "translation only (只回答译文).",
    "summarise": "Summarise the user's text in its own language, in one or two sentences, and answer with "
    "the summary only (只回答摘要).",
}


def outcome(task: Task, model: HostedModel, frame: pl.DataFrame) -> TextOutcome:
    """What the model writes for each row, the likeliest each time, beside what the data has.

    Raises:
        ModelError: M14 for a task that nobody can be asked to do in words.
    """
    if task.shape == "messages":
        return _answers(model, frame)
    if task.name in _INSTRUCTIONS:
        return _rewritten(task.name, model, frame)
    raise ModelError("M14", name=model.name, wanted=task.name, task="classify, chat, translate, summarise")


def answers(model: LanguageModel, frame: pl.DataFrame) -> TextOutcome:
    """The likeliest last answer of each conversation by a model that is here, several written at once.

    A conversation that is too long for it loses its beginning.
    """
    from tunesmith.models.writing import written

    def write(talks: Sequence[Talk]) -> list[str]:
        prompts = [model.contract.encode(model.tokenizer, turns, tools) for turns, tools in talks]
        stop = model.contract.text_stops(model.tokenizer)
        return [one.text for one in written(model, prompts, stop=stop, temperature=0.0)]

    return _answered(frame, write, with_tools=True)


def _answers(model: HostedModel, frame: pl.DataFrame) -> TextOutcome:
    """Those of a model elsewhere; conversations with tools are left out."""

    def write(talks: Sequence[Talk]) -> list[str]:
        return [model.chat(_plain(turns)) for turns, _ in talks]

    return _answered(frame, write, with_tools=False)


def _answered(
    frame: pl.DataFrame, write: Callable[[Sequence[Talk]], list[str]], *, with_tools: bool
) -> TextOutcome:
    """The last answer of each conversation that asks for one."""
    talks = zip(frame["_row"].to_list(), frame["messages"].to_list(), frame["tools"].to_list(), strict=True)
    rows = [
        (row, turns, tools)
        for row, turns, tools in talks
        if turns[-1]["role"] == "assistant" and (with_tools or not tools)
    ]
    return TextOutcome(
        sources=[turns[-2]["content"] if len(turns) > 1 else "" for _, turns, _ in rows],
        targets=[turns[-1]["content"] for _, turns, _ in rows],
        predicted=write([(turns[:-1], tools) for _, turns, tools in rows]),
        rows=[row for row, _, _ in rows],
    )


def _plain(turns: Sequence[Message]) -> list[Message]:
    """Turns as every API takes them."""
    return [{"role": turn["role"], "content": turn["content"]} for turn in turns]


def _rewritten(task: str, model: HostedModel, frame: pl.DataFrame) -> TextOutcome:
    sources, targets = frame["source"].to_list(), frame["target"].to_list()
    system = _INSTRUCTIONS[task].format(language=_language(targets))
    asked: list[list[Message]] = [
        [{"role": "system", "content": system}, {"role": "user", "content": source}] for source in sources
    ]
    return TextOutcome(
        sources=sources,
        targets=targets,
        predicted=[model.chat(turns).strip() for turns in asked],
        rows=frame["_row"].to_list(),
    )


def _language(texts: Sequence[str]) -> str:
    """The language that most of the texts are in."""
    from tunesmith.language.identify import identify

    return Counter(identify(texts)).most_common(1)[0][0]
