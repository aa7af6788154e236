"""Splits keep shares, labels and groups, and are a pure function of seed and content."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from tunesmith.data.split import assign

SHARES = {"test": 0.2, "validation": 0.1}


def hashes(count: int) -> list[str]:
    return [f"row {i}" for i in range(count)]


def test_every_label_keeps_its_share() -> None:
    labels = ["a"] * 500 + ["b"] * 300 + ["c"] * 10
    splits = assign(hashes(810), SHARES, seed=1, labels=labels)
    for label, size in Counter(labels).items():
        own = Counter(s for s, mine in zip(splits, labels, strict=True) if mine == label)
        assert abs(own["test"] - size * 0.2) <= 1
        assert abs(own["validation"] - size * 0.1) <= 1


def test_shares_of_the_whole_are_exact() -> None:
    labels = [str(i % 77) for i in range(10_003)]
    counts = Counter(assign(hashes(10_003), SHARES, seed=3, labels=labels))
    assert counts == {"train": 7002, "test": 2001, "validation": 1000}


def test_the_seed_and_the_content_decide_and_not_the_order() -> None:
    rows = hashes(200)
    first = assign(rows, SHARES, seed=1)
    assert first == assign(rows, SHARES, seed=1)
    assert first != assign(rows, SHARES, seed=2)
    backwards = assign(rows[::-1], SHARES, seed=1)
    assert backwards[::-1] == first


def test_a_share_of_nothing_gives_nothing() -> None:
    assert set(assign(hashes(50), {"test": 0.0, "validation": 0.0}, seed=0)) == {"train"}


def test_groups_stay_whole_and_shares_stay_close() -> None:
    groups = [f"customer {i // 7}" for i in range(2100)]
    labels = ["rare" if i % 10 == 0 else "common" for i in range(2100)]
    splits = assign(hashes(2100), SHARES, seed=5, labels=labels, groups=groups)
    places = defaultdict(set)
    for group, split in zip(groups, splits, strict=True):
        places[group].add(split)
    assert all(len(found) == 1 for found in places.values())
    counts = Counter(splits)
    assert abs(counts["test"] - 420) <= 14
    assert abs(counts["validation"] - 210) <= 14
    rare = Counter(s for s, label in zip(splits, labels, strict=True) if label == "rare")
    assert abs(rare["test"] - 42) <= 6


def test_few_groups_still_fill_every_split() -> None:
    splits = assign(hashes(9), SHARES, seed=0, groups=list("aaabbbccc"))
    assert set(splits) == {"train", "test", "validation"}


def test_rows_without_group_stand_alone() -> None:
    splits = assign(hashes(100), SHARES, seed=0, groups=[None] * 100)
    assert Counter(splits)["test"] == 20


@given(
    labels=st.lists(st.sampled_from("abcde"), min_size=1, max_size=60),
    test=st.floats(0, 0.5),
    validation=st.floats(0, 0.4),
    seed=st.integers(0, 99),
)
def test_training_never_loses_a_label_of_two_rows(
    labels: list[str], test: float, validation: float, seed: int
) -> None:
    shares = {"test": test, "validation": validation}
    splits = assign(hashes(len(labels)), shares, seed=seed, labels=labels)
    trained = {label for label, split in zip(labels, splits, strict=True) if split == "train"}
    assert trained == set(labels)
