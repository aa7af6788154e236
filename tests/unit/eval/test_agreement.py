"""Agreement: the published examples come out to the digits that were printed."""

from __future__ import annotations

import pytest

from tunesmith.eval.agreement import alpha, fleiss, kappa

# Krippendorff, Computing Krippendorff's alpha-reliability (2011), section C: four observers, twelve units.
OBSERVERS = (
    "123321412...",
    "12332241 25.3".replace(" ", ""),
    ".3332342251.",
    "1233244125 1.".replace(" ", ""),
)
UNITS = [[int(said) for said in unit if said != "."] for unit in zip(*OBSERVERS, strict=True)]
# Fleiss, Measuring nominal scale agreement among many raters (1971), as Wikipedia abridges it.
COUNTS = (
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
)  # fmt: skip


@pytest.mark.parametrize(("scale", "printed"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_the_paper_with_ratings_missing(scale, printed):
    assert alpha(UNITS, scale) == pytest.approx(printed, abs=5e-4)


def test_fleiss_is_that_of_the_example():
    rows = [[str(kind) for kind, count in enumerate(row) for _ in range(count)] for row in COUNTS]
    assert fleiss(rows) == pytest.approx(0.210, abs=5e-4)


def test_cohen_is_that_of_the_example():
    one = ["yes"] * 25 + ["no"] * 25
    other = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert kappa(one, other, ["yes", "no"], ordered=False).value == pytest.approx(0.4)


def test_where_nothing_can_be_compared_there_is_no_figure():
    assert alpha([["a"], ["b"]]) is None
    assert fleiss([["a", "b"], ["a"]]) is None
    assert alpha([["a", "a"], ["a", "a"]]) == 1.0
    assert fleiss([["a", "a"]]) == 1.0
