"""Errors say what, where, why and what to do, survive a process border, and carry the exit code."""

from __future__ import annotations

import copy
import multiprocessing

import pytest

from tunesmith.core import errors
from tunesmith.core.errors import NotFoundError, Problem, RecipeError, TunesmithError, render

EXIT_CODES = {
    "TunesmithError": 1,
    "UsageError": 2,
    "RecipeError": 3,
    "DataError": 3,
    "ModelError": 3,
    "NotFoundError": 4,
    "MissingError": 5,
    "GateError": 7,
    "StoppedError": 130,
}


@pytest.mark.parametrize(("name", "code"), EXIT_CODES.items())
def test_scripts_can_rely_on_the_exit_codes(name, code):
    assert getattr(errors, name).exit_code == code


def test_a_problem_is_shown_with_place_cause_and_hint():
    problem = Problem(code="C01", file="recipe.yaml", line=3, field="data.source")
    assert render(problem, "en").splitlines() == [
        "error[C01]: recipe.yaml does not exist",
        "  --> recipe.yaml:3  (data.source)",
        "cause: a file that was named cannot be found",
        "hint: check the path; relative paths start at the current folder",
    ]
    assert "原因：" in render(problem, "zh")


def test_a_problem_without_a_file_shows_its_field_alone():
    assert "  --> data.source" in render(Problem(code="R14", field="data.source"), "en").splitlines()


def test_a_problem_is_one_flat_object_for_programs():
    said = Problem(code="C01", file="a.csv").as_dict("en")
    assert list(said) == ["code", "file", "line", "field", "message", "cause", "hint"]
    assert said["line"] is None


def test_all_problems_are_told_in_their_order():
    error = RecipeError.of([Problem(code="R04", values={"key": "task"}), Problem(code="C01", file="x")])
    assert str(error).index("R04") < str(error).index("C01")


@pytest.mark.parametrize("remake", [copy.copy, copy.deepcopy])
def test_an_error_can_be_copied_with_all_it_says(remake):
    error = NotFoundError("C06", file="runs", line=2, field="run", name="r", known="-")
    again = remake(error)
    assert type(again) is NotFoundError
    assert again.problems == error.problems


def fail() -> None:
    raise TunesmithError("C08", name="router", alias="production", expected=1, found=2)


def test_an_error_of_another_process_arrives_as_it_was():
    with multiprocessing.get_context("forkserver").Pool(1) as pool, pytest.raises(TunesmithError) as caught:
        pool.apply(fail)
    assert caught.value.problems[0].code == "C08"
    assert caught.value.problems[0].values["found"] == 2
