"""Questions with options: the likeliest is chosen, or the one that the model names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tunesmith.core.errors import DataError
from tunesmith.eval.outcome import TextOutcome
from tunesmith.eval.suites import extraction, prompts
from tunesmith.eval.suites.answered import Answered, answers
from tunesmith.eval.suites.definition import Choices
from tunesmith.eval.suites.prompts import LETTERS, Row
from tunesmith.eval.suites.rows import Questions
from tunesmith.eval.suites.subject import Subject
from tunesmith.eval.sums import Sums, hits, mean
from tunesmith.models.following import Followed

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class _Question:
    """A row: what is asked, the texts of its options, and the number of the right one."""

    prompt: str
    options: Sequence[str]
    right: int

    def shown(self, number: int) -> str:
        """An option as people read it; nothing for -1."""
        return f"{LETTERS[number]}. {self.options[number]}" if number >= 0 else ""


def ask(task: Choices, asked: Questions, subject: Subject) -> Answered:
    """Let a model choose; by what it writes where the task says so, or where nothing else can be known.

    Raises:
        RecipeError: C42 when a column does not exist.
        DataError: C43 when the right answer of a row is none of its options.
    """
    shown = [_solution(task, each) for each in _questions(task, asked.shown, asked)]
    found = _questions(task, asked.asked, asked)
    texts = [prompts.joined(shown, each.prompt, task.divider) for each in found]
    by_words = task.by == "writing" or not subject.foresees
    choose = _named if by_words else _likeliest
    chosen, sums, cut = choose(task, found, texts, subject)
    return Answered(
        outcome=TextOutcome(
            sources=texts,
            targets=[each.shown(each.right) for each in found],
            predicted=[each.shown(number) for each, number in zip(found, chosen, strict=True)],
            rows=asked.lines,
        ),
        sums=sums,
        chance=float(np.mean([1 / len(each.options) for each in found])),
        cut=cut,
    )


_Chosen = tuple[list[int], dict[str, Sums], int]


def _likeliest(task: Choices, found: Sequence[_Question], texts: Sequence[str], subject: Subject) -> _Chosen:
    """By how likely each option follows.

    `accuracy_norm` divides by the characters of the option, as `acc_norm` of EleutherAI's harness does.
    """
    pairs = zip(texts, found, strict=True)
    asked = [(text, task.delimiter + one) for text, each in pairs for one in _scored(task, each.options)]
    answers = iter(subject.follow(asked))
    followed = [[next(answers) for _ in each.options] for each in found]
    right = [each.right for each in found]
    plain = [_best([one.logprob for one in each]) for each in followed]
    sums = {"accuracy": hits(np.equal(plain, right))}
    if task.score == "texts":
        by_length = [_best(_by_length(*pair)) for pair in zip(followed, found, strict=True)]
        sums["accuracy_norm"] = hits(np.equal(by_length, right))
    return plain, sums, sum(any(one.cut for one in each) for each in followed)


def _best(values: Sequence[float]) -> int:
    return int(np.argmax(values))


def _by_length(followed: Sequence[Followed], question: _Question) -> list[float]:
    pairs = zip(followed, question.options, strict=True)
    return [one.logprob / max(1, len(text)) for one, text in pairs]


def _named(task: Choices, found: Sequence[_Question], texts: Sequence[str], subject: Subject) -> _Chosen:
    """By the option that the model names in words; one that is none of them is wrong."""
    said, cut = answers(task, subject, texts, ())
    pairs = zip(said, found, strict=True)
    named = [extraction.option(one, LETTERS[: len(each.options)], each.options) for one, each in pairs]
    chosen = [-1 if number is None else number for number in named]
    sums = {
        "accuracy": hits(np.equal(chosen, [each.right for each in found])),
        "unanswered": mean([number is None for number in named]),
    }
    return chosen, sums, cut


def _solution(task: Choices, question: _Question) -> str:
    """A question with its right answer behind it."""
    return question.prompt + task.delimiter + _scored(task, question.options)[question.right]


def _scored(task: Choices, options: Sequence[str]) -> Sequence[str]:
    return options if task.score == "texts" else LETTERS[: len(options)]


def _questions(task: Choices, rows: Sequence[Row], asked: Questions) -> list[_Question]:
    """Rows as questions; all whose right answer is not found are named at once."""
    found = [(i, *_question(task, row)) for i, row in enumerate(rows)]
    lost = [i for i, _, right in found if right is None]
    if lost:
        lines = ", ".join(str(asked.line(rows, i)) for i in lost[:_SHOWN])
        raise DataError("C43", file=asked.file, column=task.answer, rows=len(lost), lines=lines)
    return [
        _Question(prompts.fill(task.prompt, rows[i]), options, right)
        for i, options, right in found
        if right is not None
    ]


def _question(task: Choices, row: Row) -> tuple[list[str], int | None]:
    """The texts of a row's options, and the number of the right one if it is among them."""
    cell = prompts.value(row, task.options)
    given = [str(each) for each in cell] if isinstance(cell, list) else []
    options = prompts.unlettered(given)
    answer = prompts.value(row, task.answer)
    right = options.index(answer) if answer in options else _number(answer, given)
    return options, right


def _number(answer: object, options: Sequence[str]) -> int | None:
    """Which option is meant by a letter, a number from 0, or the text as it stands."""
    if isinstance(answer, int) and not isinstance(answer, bool):
        return answer if 0 <= answer < len(options) else None
    said = str(answer).strip()
    letter = LETTERS.find(said.upper()) if len(said) == 1 else -1
    if 0 <= letter < len(options):
        return letter
    return list(options).index(said) if said in options else None
