"""A task put to a model, whatever its kind."""

from __future__ import annotations

from tunesmith.eval.suites import choices, texts
from tunesmith.eval.suites.answered import Answered
from tunesmith.eval.suites.definition import Choices, Program, SuiteTask
from tunesmith.eval.suites.rows import Questions
from tunesmith.eval.suites.subject import Subject


def ask(task: SuiteTask, asked: Questions, subject: Subject) -> Answered:
    """Put the questions of a task to a model.

    Raises:
        RecipeError: C42 when a column does not exist.
        DataError: C43 when the right answer of a row is none of its options.
        ModelError: as the model raises.
    """
    if isinstance(task, Choices):
        return choices.ask(task, asked, subject)
    if isinstance(task, Program):
        return texts.ask_code(task, asked, subject)
    return texts.ask_words(task, asked, subject)
