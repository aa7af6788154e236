"""That similar rows are found, that nothing else is, and that how they were added does not matter."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.data.similarity import Edges, SimilarRows, components


@contextmanager
def similar_rows(folder: Path, threshold: float = 0.8) -> Iterator[SimilarRows]:
    folder.mkdir(exist_ok=True)
    rows = SimilarRows(folder, threshold=threshold)
    try:
        yield rows
    finally:
        rows.close()


def edges_of(folder: Path, batches: Iterable[list[str]], threshold: float = 0.8) -> Edges:
    with similar_rows(folder, threshold) as rows:
        for batch in batches:
            rows.add(pl.Series(batch, dtype=pl.String))
        return rows.edges()


def triples(edges: Edges) -> list[tuple[int, int, float]]:
    return list(
        zip(
            edges.first.tolist(),
            edges.second.tolist(),
            edges.similarity.astype(float).round(6).tolist(),
            strict=True,
        )
    )


def shingles(text: str) -> set[str]:
    return {text[at : at + 5] for at in range(len(text) - 4)}


def similarity(one: str, other: str) -> float:
    ones, others = shingles(one), shingles(other)
    return len(ones & others) / len(ones | others)


def edited(text: str, rate: float, dice: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, round(rate * len(text)))):
        at = dice.randrange(len(letters))
        letters[at] = dice.choice(("", dice.choice(text), letters[at] + dice.choice(text)))
    return "".join(letters)


@pytest.fixture(scope="module")
def texts(shared_data: Path) -> list[str]:
    """Real texts, distinct: short and long English, short and long Chinese."""
    questions = pl.read_csv(shared_data / "cls_banking77" / "train.csv")["text"].head(600).to_list()
    sums = (shared_data / "math_gsm8k_train" / "train.jsonl").read_text("utf-8").splitlines()[:400]
    answers = [json.loads(line)["answer"] for line in sums]
    lines = (shared_data / "mt_ntrex" / "ntrex.zh-CN.txt").read_text("utf-8").splitlines()[:400]
    pairs = (shared_data / "mt_tatoeba_en_zh" / "cmn.tsv").read_text("utf-8").splitlines()[:8000:20]
    phrases = [pair.split("\t")[1] for pair in pairs]
    return [text for text in dict.fromkeys([*questions, *answers, *lines, *phrases]) if len(text) > 5]


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.95])
def test_planted_edits_are_found(texts: list[str], tmp_path: Path, threshold: float) -> None:
    dice = random.Random(int(threshold * 100))
    changed = [(text, edited(text, dice.choice((0.002, 0.01, 0.02, 0.05)), dice)) for text in texts * 3]
    planted = [pair for pair in changed if len(pair[1]) > 4 and similarity(*pair) >= threshold]
    rows = sorted({text for pair in planted for text in pair})
    at = {text: number for number, text in enumerate(rows)}
    edges = edges_of(tmp_path, [rows], threshold)
    found = {(first, second) for first, second, _ in triples(edges)}
    hits = [(min(at[a], at[b]), max(at[a], at[b])) in found for a, b in planted if a != b]
    assert len(hits) > 300
    assert np.mean(hits) >= 0.995
    for first, second, value in triples(edges):
        assert value == pytest.approx(similarity(rows[first], rows[second]), abs=1e-6)
        assert value >= round(threshold, 6)


def test_of_all_pairs_of_real_rows_none_is_missed_or_made_up(texts: list[str], tmp_path: Path) -> None:
    """Every pair there is, compared as sets of what Python calls characters."""
    dice = random.Random(8)
    rows = texts[::3] + [edited(text, dice.choice((0.005, 0.01, 0.02)), dice) for text in texts[::3]]
    sets = [shingles(row) for row in rows]
    true = set()
    for second, members in enumerate(sets):
        for first in range(second):
            common = len(members & sets[first])
            if common >= 0.8 * (len(members) + len(sets[first]) - common) > 0:
                true.add((first, second))
    found = {(first, second) for first, second, _ in triples(edges_of(tmp_path, [rows]))}
    assert len(true) > 150
    assert found <= true
    assert len(found) >= 0.99 * len(true)


@settings(max_examples=20)
@given(st.data())
def test_how_rows_are_added_does_not_matter(
    texts: list[str], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    dice = random.Random(3)
    rows = [edited(text, 0.01, dice) for text in texts[:60] for _ in range(3)] + texts[:30]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=6)))
    batches = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    folder = tmp_path_factory.mktemp("rows")
    assert triples(edges_of(folder / "cut", batches)) == triples(edges_of(folder / "whole", [rows]))


def test_edges_can_be_asked_for_between_batches(tmp_path: Path) -> None:
    with similar_rows(tmp_path) as rows:
        rows.add(pl.Series(["one and the same text", "another text, quite different"]))
        assert triples(rows.edges()) == []
        rows.add(pl.Series(["one and the same text"]))
        assert triples(rows.edges()) == [(0, 2, 1.0)]


def test_equal_texts_are_paired_with_their_first_occurrence(tmp_path: Path) -> None:
    rows = ["好的", "a text that occurs again", "", "好的", "a text that occurs again", "", "no", "好的"]
    expected = [(0, 3, 1.0), (0, 7, 1.0), (1, 4, 1.0), (2, 5, 1.0)]
    assert triples(edges_of(tmp_path, [rows])) == expected


def test_texts_shorter_than_a_shingle_are_only_equal_to_themselves(tmp_path: Path) -> None:
    rows = ["abcd", "abce", "abcd", "", "a", "你好", "你好吗", "abcde"]
    assert triples(edges_of(tmp_path, [rows])) == [(0, 2, 1.0)]


def test_null_is_an_empty_text(tmp_path: Path) -> None:
    with similar_rows(tmp_path) as rows:
        rows.add(pl.Series([None, "", "text of some length"], dtype=pl.String))
        assert triples(rows.edges()) == [(0, 1, 1.0)]


@pytest.mark.parametrize("batches", [[], [[]], [["only one row"]]])
def test_without_a_second_row_there_is_nothing(tmp_path: Path, batches: list[list[str]]) -> None:
    assert triples(edges_of(tmp_path, batches)) == []


def test_characters_beyond_the_basic_plane_count_as_one(tmp_path: Path) -> None:
    one, other = "😀😁😂🤣😃😄😅😆😉😊", "😀😁😂🤣😃😄😅😆😉😋"
    assert triples(edges_of(tmp_path, [[one, other]], 0.7)) == [(0, 1, round(5 / 7, 6))]


def test_a_value_just_at_the_threshold_counts(tmp_path: Path) -> None:
    one, other = "abcdefghijklm", "abcdefghijkln"
    assert similarity(one, other) == 0.8
    assert len(triples(edges_of(tmp_path, [[one, other]], 0.8))) == 1
    assert triples(edges_of(tmp_path / "more", [[one, other]], 0.81)) == []


def test_only_equal_texts_have_the_similarity_one(tmp_path: Path) -> None:
    rows = ["aaaaaaaa", "aaaaaaaaaaaa", "aaaaaaaa"]
    found = triples(edges_of(tmp_path, [rows]))
    assert [(first, second) for first, second, _ in found] == [(0, 1), (0, 2)]
    similarities = edges_of(tmp_path / "again", [rows]).similarity.tolist()
    assert similarities[1] == 1 > similarities[0] > 0.999
    assert triples(edges_of(tmp_path / "equal", [rows], 1.0)) == [(0, 2, 1.0)]


def test_very_many_similar_rows_are_connected_without_all_their_pairs(tmp_path: Path) -> None:
    dice = random.Random(1)
    frame = (
        "The temperature measured by sensor {:03d} at {:02d}:{:02d} was within the bounds that were "
        "configured for this machine by the operator on duty"
    )
    rows = [frame.format(dice.randrange(1000), dice.randrange(24), dice.randrange(60)) for _ in range(1200)]
    edges = edges_of(tmp_path, [rows])
    assert set(components(len(rows), edges)) == {0}
    assert len(edges.first) < 60 * len(rows)


def test_a_chain_is_one_component(texts: list[str], tmp_path: Path) -> None:
    dice = random.Random(4)
    links = [max(texts, key=len)[:400]]
    while len(links) < 40:
        links.append(edited(links[-1], 0.005, dice))
    assert similarity(links[0], links[-1]) < 0.8
    assert set(components(len(links), edges_of(tmp_path, [links]))) == {0}


@given(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_components_are_those_of_the_graph(pairs: list[tuple[int, int]]) -> None:
    groups = {row: {row} for row in range(30)}
    for one, other in pairs:
        joined = groups[one] | groups[other]
        groups |= dict.fromkeys(joined, joined)
    first = np.array([min(pair) for pair in pairs], np.int64)
    second = np.array([max(pair) for pair in pairs], np.int64)
    edges = Edges(first=first, second=second, similarity=np.ones(len(pairs), np.float32))
    assert components(30, edges).tolist() == [min(groups[row]) for row in range(30)]


MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np, polars as pl
from tunesmith.data.similarity import SimilarRows
rows = SimilarRows(Path(sys.argv[1]))
dice = np.random.default_rng(0)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def add():
    numbers = dice.integers(0, 1 << 62, (5000, 30)).astype(str)
    rows.add(pl.Series([" ".join(row) for row in numbers.tolist()]))
add(); rows.edges(); before = peak()
for _ in range(19): add()
rows.edges()
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is counted in other units elsewhere")
def test_texts_are_not_kept_in_memory(tmp_path: Path) -> None:
    """57 MB of text, of which nothing but a few numbers per row may stay."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 40_000
