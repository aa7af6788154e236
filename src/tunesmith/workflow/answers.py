"""Rows to train on with a teacher's answers in place of their own (Kim and Rush 2016).

For that a teacher needs no tokens in common with who learns, and may be hosted. Rows are asked for in slices
that are kept: a run that was cut off goes on with the slice it was at, and of that a hosted model's answers
are kept too. Held-out rows keep their own answers, by which a model is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.core import cache
from tunesmith.core.recipe import Prompt, Recipe
from tunesmith.data.shapes import LABELLED, MESSAGES, PAIRED
from tunesmith.models import turns
from tunesmith.models.resolve import Resolved
from tunesmith.workflow.parts import Parts
from tunesmith.workflow.plan import Plan

_SLICE = 64
_FILE = "rows.parquet"


def of(plan: Plan, parts: Parts) -> Parts:
    """The parts, their rows to train on answered by `data.teacher` if the recipe has one.

    Raises:
        MissingError, ModelError, UsageError: M63, M65 to M67 when a hosted model cannot be asked further.
    """
    if plan.answerer is None:
        return parts
    rows = parts.split("train")
    answered = [_slice(plan, plan.answerer, rows, start) for start in range(0, rows.height, _SLICE)]
    return replace(parts, splits={**parts.splits, "train": pl.concat(answered)})


def unasked(recipe: Recipe) -> Recipe:
    """The recipe as it is where nobody is to be asked: rows keep their own answers."""
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"teacher": None})})


def _slice(plan: Plan, answerer: Resolved, rows: pl.DataFrame, start: int) -> pl.DataFrame:
    def write(folder: Path) -> None:
        from tunesmith.models import loading

        answer = _WAYS[plan.task.shape]
        answered = answer(loading.load(answerer), rows.slice(start, _SLICE), plan.recipe.prompt)
        answered.write_parquet(folder / _FILE)

    key = cache.key(data=plan.data_key, start=start)
    folder, _ = cache.folder(plan.workspace.cache, "answers", key, write)
    return pl.read_parquet(folder / _FILE)


def _labels(model: Any, rows: pl.DataFrame, prompt: Prompt) -> pl.DataFrame:
    """Labels as the model sees them; where it names none of those there are, the row's own."""
    known = set(rows["label"])
    asked = model.with_labels(sorted(known)) if model.kind == "hosted" else model
    found = asked.classify(rows["text"].to_list())
    kept = [new if new in known else own for new, own in zip(found, rows["label"], strict=True)]
    return rows.with_columns(label=pl.Series(kept, dtype=rows.schema["label"]))


def _texts(model: Any, rows: pl.DataFrame, prompt: Prompt) -> pl.DataFrame:
    """Targets as the model writes them."""
    return rows.with_columns(target=pl.Series(model.translate(rows["source"].to_list()), dtype=pl.String))


def _talks(model: Any, rows: pl.DataFrame, prompt: Prompt) -> pl.DataFrame:
    """Conversations in which the model says what the assistant says; those with tools stay as they are."""
    length = {} if prompt.max_new_tokens is None else {"max_new_tokens": prompt.max_new_tokens}
    ask = partial(model.chat, temperature=0.0, **length)
    talks = zip(rows["messages"].to_list(), rows["tools"].to_list(), strict=True)
    answered = [
        messages if turns.decoded(messages, tools).uses_tools else _talk(ask, messages, prompt.system)
        for messages, tools in talks
    ]
    return rows.with_columns(messages=pl.Series(answered, dtype=rows.schema["messages"]))


def _talk(
    ask: Callable[[Sequence[turns.Message]], str], messages: Sequence[turns.Message], system: str | None
) -> list[turns.Message]:
    """A conversation turn by turn; each answer follows the model's own earlier ones."""
    begins = system is not None and messages[0]["role"] != "system"
    heard: list[turns.Message] = [{"role": "system", "content": system}] if begins else []
    said: list[turns.Message] = []
    for message in messages:
        is_answer = message["role"] == "assistant"
        said.append({**message, "content": ask(heard)} if is_answer else message)
        heard.append({"role": message["role"], "content": said[-1]["content"]})
    return said


_WAYS: Mapping[str, Callable[[Any, pl.DataFrame, Prompt], pl.DataFrame]] = {
    LABELLED: _labels,
    PAIRED: _texts,
    MESSAGES: _talks,
}
