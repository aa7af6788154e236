"""Choosing what to ask next: the least sure, the least alike, some at random; when to stop."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from tunesmith.core.errors import NotFoundError, UsageError
from tunesmith.data.annotation import choosing, rules
from tunesmith.data.annotation.stopping import advise, sizes
from tunesmith.data.annotation.voting import Vote, combined

SURE = np.array([[0.9, 0.1, 0.0], [0.4, 0.35, 0.25], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]], np.float32)


def test_the_least_sure_comes_first_and_margin_and_entropy_differ_on_what_that_is():
    assert np.argsort(-choosing.margin(SURE)).tolist() == [2, 1, 0, 3]
    assert np.argsort(-choosing.entropy(SURE)).tolist() == [1, 2, 0, 3]
    assert choosing.margin(SURE[:, :1]).tolist() == [0, 0, 0, 0]


def test_labels_that_were_hardly_seen_are_asked_about_first():
    found = choosing.rarity(np.array([[0.9, 0.1], [0.1, 0.9]], np.float32), [99, 0])
    assert found.tolist() == pytest.approx([0.4, 0.9333], abs=1e-4)


def test_models_that_agree_do_not_disagree():
    assert choosing.disagreement([SURE, SURE]) == pytest.approx(np.zeros(4), abs=1e-6)
    assert choosing.disagreement([SURE, SURE[::-1]]).min() > 0.01


@pytest.mark.parametrize("form", [np.asarray, sp.csr_matrix])
def test_what_is_spread_out_has_one_of_each_cluster(form):
    rng = np.random.default_rng(0)
    centres = np.eye(5)[np.repeat(np.arange(5), 20)]
    vectors = centres + rng.normal(0, 0.01, centres.shape)
    vectors = form(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    found = choosing.spread(vectors, np.array([0]), 4)
    assert sorted(item // 20 for item in found) == [1, 2, 3, 4]
    typical = choosing.cover(vectors, np.array([0, 25]), 3)
    assert sorted(item // 20 for item in typical) == [2, 3, 4], "one for each cluster that nothing stands for"
    unsure = np.linspace(1, 0.5, 100).astype(np.float32)
    both = choosing.mixed(unsure, vectors, np.arange(100), 10)
    assert len(set(both.tolist())) == 10
    assert {item // 20 for item in both} == {0, 1}, "of the forty least sure, from both their clusters"


def test_a_share_of_the_queue_is_drawn_at_random_until_nothing_is_left():
    queue = choosing.interleaved(range(40), range(100, 106), 0.1)
    assert sorted(queue) == [*range(40), *range(100, 106)]
    assert [sum(n >= 100 for n in queue[at : at + 10]) for at in (0, 10, 20, 30)] == [1, 1, 1, 1]


def test_stopping_is_advised_on_a_flat_curve_only_and_never_on_a_guess():
    assert sizes(170) == [10, 21, 42, 85, 170]
    assert advise([(10, 0.5), (20, 0.8), (40, 0.802)], 50).advice == "stop"
    going = advise([(10, 0.4), (20, 0.6), (40, 0.7)], 50)
    assert (going.advice, going.expected_gain) == ("go_on", 0.05)
    assert advise([(10, 0.8), (20, 0.8), (40, 0.8)], 19).advice == "too_few"


def test_votes_are_weighed_and_spans_that_overlap_exclude_each_other():
    votes = [
        Vote(by="a", answer={"label": "x"}, score=0.6),
        Vote(by="b", answer={"label": "y"}, score=0.9),
        Vote(by="rules", answer={"label": "x"}, score=1.0, weight=0.5),
    ]
    best, other = combined("class", votes)
    assert (best.answer, best.by, best.score) == ({"label": "x"}, "a, rules", 0.44)
    assert other.score == pytest.approx(0.36)
    spans = [{"start": 0, "end": 4, "label": "x"}, {"start": 2, "end": 6, "label": "y"}]
    said = [
        Vote(by=str(i), answer={"spans": [s]}, score=w)
        for i, (s, w) in enumerate(zip(spans, (0.5, 0.9), strict=True))
    ]
    assert combined("spans", said)[0].answer == {"spans": [spans[1]]}
    assert combined("spans", []) == []


def test_rules_find_words_and_patterns_by_code_points(tmp_path):
    file = tmp_path / "r.toml"
    file.write_text(
        '[[rule]]\nlabel="LOC"\nwords=["北京","a.b"]\n[[rule]]\nlabel="YEAR"\npattern="\\\\d{4}"\nweight=2\n'
    )
    found = rules.votes("spans", "👍北京 2026 aXb", rules.read(file), by="r", weight=1)
    assert [one.answer["spans"][0] for one in found] == [
        {"start": 1, "end": 3, "label": "LOC"},
        {"start": 4, "end": 8, "label": "YEAR"},
    ]
    assert [one.weight for one in found] == [1, 2]
    with pytest.raises(NotFoundError, match="C01"):
        rules.read(tmp_path / "none.toml")
    for wrong in ("", "[[rule]]\nlabel='x'", "[[rule]]\nlabel='x'\npattern='('", "rule=3"):
        file.write_text(wrong)
        with pytest.raises(UsageError, match=r"L13|L17"):
            rules.read(file)
