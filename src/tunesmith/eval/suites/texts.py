"""Questions that a model answers in words or in code."""

from __future__ import annotations

from collections.abc import Sequence

from tunesmith.eval.outcome import TextOutcome
from tunesmith.eval.suites import confined, extraction, prompts
from tunesmith.eval.suites.answered import Answered, answers
from tunesmith.eval.suites.definition import Program, Written
from tunesmith.eval.suites.prompts import Row
from tunesmith.eval.suites.rows import Questions
from tunesmith.eval.suites.subject import Subject
from tunesmith.eval.sums import hits, mean


def ask_words(task: Written, asked: Questions, subject: Subject) -> Answered:
    """Let a model write, and compare what is extracted of its answers with the right ones.

    Raises:
        RecipeError: C42 when a column does not exist.
    """
    texts = _texts(task, asked)
    said, cut = answers(task, subject, texts, task.stop)
    right_texts = [prompts.fill(task.answer, row) for row in asked.asked]
    targets = [extraction.extracted(text, task.extract) or text.strip() for text in right_texts]
    found = [extraction.extracted(answer, task.extract) for answer in said]
    as_numbers = task.compare == "number"
    right = [extraction.same(*pair, as_numbers=as_numbers) for pair in zip(found, targets, strict=True)]
    return Answered(
        outcome=TextOutcome(sources=texts, targets=targets, predicted=said, rows=asked.lines),
        sums={"exact_match": hits(right), "unanswered": mean([not one for one in found])},
        cut=cut,
    )


def ask_code(task: Program, asked: Questions, subject: Subject) -> Answered:
    """Let a model write code, and run it.

    Raises:
        RecipeError: C42 when a column does not exist.
    """
    texts = _texts(task, asked)
    said, cut = answers(task, subject, texts, task.stop)
    ends = [_end(task, row, answer) for row, answer in zip(asked.asked, said, strict=True)]
    targets = [prompts.fill(task.answer, row) for row in asked.asked]
    return Answered(
        outcome=TextOutcome(sources=texts, targets=targets, predicted=said, rows=asked.lines),
        sums={
            "pass_at_1": hits([end == "passed" for end in ends]),
            "timeouts": mean([end == "late" for end in ends]),
        },
        cut=cut,
    )


def _end(task: Program, row: Row, answer: str) -> confined.End:
    program = prompts.fill(task.program, {**row, "completion": answer})
    return confined.run(program, seconds=task.seconds, memory_mb=task.memory_mb)


def _texts(task: Written | Program, asked: Questions) -> Sequence[str]:
    """What the model is asked about each row."""
    shown = [
        prompts.fill(task.prompt, row) + task.delimiter + prompts.fill(task.answer, row)
        for row in asked.shown
    ]
    return [prompts.joined(shown, prompts.fill(task.prompt, row), task.divider) for row in asked.asked]
