"""Models beside each other on the rows that all were asked."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.core.errors import DataError
from tunesmith.eval import comparison, comparison_page
from tunesmith.eval.comparison import Contender
from tunesmith.eval.outcome import LabelOutcome, RetrievalOutcome, TextOutcome, TokenOutcome
from tunesmith.eval.report import Provenance, Report

LABELS = ("a", "b")


def report(task="classify", **scores):
    return Report(
        task=task, model="m", part="test", rows=1, scores=scores, directions={},
        provenance=Provenance(run="", data="", model=""),
    )  # fmt: skip


def labelled(name, wrong=(), rows=range(200), labels=LABELS, recipe=None):
    """A classifier that is right on all rows but some; rows are right in turn `a` and `b`."""
    targets = np.array([labels.index(LABELS[row % 2]) for row in rows])
    predicted = np.array([1 - t if row in wrong else t for t, row in zip(targets, rows, strict=True)])
    outcome = LabelOutcome(
        labels=labels, texts=[f"row {row}" for row in rows], targets=targets, predicted=predicted,
        probabilities=np.eye(2)[predicted], rows=np.array(rows),
    )  # fmt: skip
    return Contender(
        name=name, report=report(accuracy=0.5, macro_f1=0.5), outcome=outcome, recipe=recipe or {}
    )


def test_a_better_model_is_told_from_chance_and_rows_that_changed_are_named():
    found = comparison.compare([labelled("old", range(60)), labelled("new", range(50, 70))])
    (pair,) = found.pairs
    assert found.scores["accuracy"] == (0.7, 0.9)
    assert found.verdict(pair.differences[0]) == "better"
    assert pair.differences[0].value == pytest.approx(0.2)
    assert 0 < pair.differences[0].detectable < 0.2
    assert pair.changes.counts == {"fixed": 50, "broken": 10, "both_wrong": 10, "both_right": 130}
    assert pair.changes.examples["broken"][0].answers == ("a", "b")
    assert pair.changes.examples["broken"][0].text == "row 60"


def test_tests_of_all_pairs_are_corrected_together():
    one, two = labelled("1", range(40)), labelled("2", range(20, 45))
    alone = comparison.compare([one, two]).pairs[0].differences[0].p
    among = comparison.compare([one, two, labelled("3", range(20, 46))])
    beside = next(pair for pair in among.pairs if (pair.model, pair.beside) == ("2", "1"))
    assert beside.differences[0].p > alone
    assert [(pair.model, pair.beside) for pair in among.pairs] == [("2", "1"), ("3", "1"), ("3", "2")]


def test_only_common_rows_count_whatever_their_order_and_the_order_of_labels():
    other = labelled("new", (3,), rows=range(9, -1, -1), labels=("b", "a"))
    found = comparison.compare([labelled("old", (150,)), other])
    assert (found.rows, found.own_rows) == (10, (200, 10))
    assert found.scores["accuracy"] == (1.0, 0.9)


def test_models_without_a_common_row_are_refused():
    with pytest.raises(DataError) as error:
        comparison.compare([labelled("old"), labelled("new", rows=range(200, 300))])
    assert error.value.problems[0].code == "C23"


def test_other_right_answers_on_the_same_rows_are_refused():
    one = labelled("old")
    targets = np.where(np.arange(200) == 5, 0, one.outcome.targets)
    swapped = LabelOutcome(**{**fields_of(one.outcome), "targets": targets})
    with pytest.raises(DataError) as error:
        comparison.compare([one, Contender(name="new", report=one.report, outcome=swapped)])
    assert error.value.problems[0].code == "C26"
    assert error.value.problems[0].values["count"] == 1


def fields_of(outcome):
    return {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}


def written(name, predicted, rows=range(3)):
    outcome = TextOutcome(
        sources=["x", "y", "z"], targets=["1", "2", "3"], predicted=predicted, rows=list(rows)
    )
    return Contender(name=name, report=report("translate", chrf=1.0), outcome=outcome)


def test_texts_are_put_side_by_side_where_they_differ():
    found = comparison.compare([written("a", ["1", "2", "3"]), written("b", ["1", "?", "3"])])
    assert [(row.text, row.answers) for row in found.answers] == [("y", ("2", "?"))]
    assert found.pairs[0].changes is None


def test_different_tasks_and_different_texts_to_search_are_refused():
    def searched(documents):
        outcome = RetrievalOutcome(
            sources=["q"], documents=documents, right=np.array([0]), ranks=np.array([1]), rows=[1]
        )
        return Contender(name=documents[-1], report=report("embed", recall_at_1=1.0), outcome=outcome)

    for pair, code in (
        ([labelled("old"), written("a", ["1", "2", "3"])], "C22"),
        ([searched(["x"]), searched(["x", "y"])], "C24"),
    ):
        with pytest.raises(DataError) as error:
            comparison.compare(pair)
        assert error.value.problems[0].code == code


def test_models_with_other_tokens_are_compared_by_whole_rows():
    def foreseen(name, nll, tokens):
        outcome = TokenOutcome(nll=np.array(nll), tokens=np.array(tokens), rows=[1, 2, 3])
        return Contender(name=name, report=report("chat", perplexity=1.0), outcome=outcome)

    one, other = foreseen("bytes", [9.0, 8, 7], [30, 30, 30]), foreseen("words", [8.0, 7, 6], [4, 4, 4])
    found = comparison.compare([one, other])
    assert (found.scores, found.left_out) == ({"nll_per_row": (8.0, 7.0)}, ("perplexity",))
    same = comparison.compare([one, foreseen("more", [9.0, 9, 9], [30, 30, 30])])
    assert list(same.scores) == ["perplexity"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_shows_everything_as_text_and_loads_nothing(lang):
    one = labelled("<b>old</b>", range(60), recipe={"seed": 1, "model": "a"})
    other = labelled("new", range(10), recipe={"seed": 2, "model": "a"})
    page = comparison_page.render(comparison.compare([one, other]), lang)
    assert "<b>old" not in page
    assert "&lt;b&gt;old" in page
    assert "http" not in page.replace("http-equiv", "")
    assert "seed" in page
    assert page.count("<svg") == 4
