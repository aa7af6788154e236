"""Findings: what was planted is said, the worst first, and every remedy can be put into a recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import polars as pl
import pytest
from ruamel.yaml import YAML

from tunesmith.core import text
from tunesmith.core.recipe import Data
from tunesmith.data.profile.findings import SEVERITIES, combined
from tunesmith.data.profile.page.mending import recipe

Measured = Callable[..., dict[str, Any]]


@pytest.fixture
def dirty(profile_of: Measured) -> dict[str, Any]:
    """A data set with every kind of dirt that labelled rows can have."""
    good = [f"a usual question number {i} about {word}" for i in range(30) for word in ("cards", "transfers")]
    train = [
        *good, "mail me at li@example.com now", "<p>Hello <b>there</b></p>", "caf\ufffd is broken here",
        "CafÃ© au lait, s'il vous plaÃ®t", "ｗｉｄｅ letters and  spaces", good[0], "say it\n" * 60,
        "no label here", "word " * 400,
    ]  # fmt: skip
    labels = ["card", "transfer"] * 30 + [
        "Card",
        "card",
        "card",
        "card",
        "card",
        "card",
        "transfer",
        None,
        "card",
    ]
    test = pl.DataFrame(
        {"text": [good[1], "a fresh question of its own"], "label": ["transfer", "unheard of"]}
    )
    return profile_of("labelled", context=50, train=pl.DataFrame({"text": train, "label": labels}), test=test)


def test_everything_planted_is_found_and_the_worst_comes_first(dirty: dict[str, Any]) -> None:
    problems = dirty["problems"]
    assert {problem["kind"] for problem in problems} >= {
        "overlap", "unlabelled", "duplicates", "personal", "markup", "damaged", "mojibake", "untidy",
        "repetition", "variants", "unseen", "truncated", "long", "rare",
    }  # fmt: skip
    ranks = [SEVERITIES.index(problem["severity"]) for problem in problems]
    assert ranks == sorted(ranks)
    by_kind = {problem["kind"]: problem for problem in problems}
    assert by_kind["overlap"]["examples"][0]["text"] == "a usual question number 0 about transfers"
    assert by_kind["personal"]["examples"][0]["text"] == "mail me at [EMAIL] now"
    assert by_kind["truncated"]["count"] == 2


def remedies(profile: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (p["fix"]["recipe"] for p in profile["problems"] if p["fix"]["recipe"])
    yield combined(profile["problems"])


def test_every_remedy_is_a_valid_recipe_as_it_is_shown(dirty: dict[str, Any]) -> None:
    found = list(remedies(dirty))
    assert len(found) > 8
    for keys in found:
        shown = YAML(typ="safe", pure=True).load(recipe(keys))
        assert shown == keys
        Data.model_validate({"source": "rows.csv", **shown})


def test_the_whole_remedy_runs_cleaners_in_order(dirty: dict[str, Any]) -> None:
    names = [one if isinstance(one, str) else one["name"] for one in combined(dirty["problems"])["clean"]]
    assert names == [
        "drop_unlabelled", "fix_mojibake", "normalise", "strip_html", "mask_pii", "drop_repetitive",
        "normalise_labels", "dedup",
    ]  # fmt: skip
    assert combined(dirty["problems"])["split"] == {"overlap": "drop"}


def test_clean_data_has_nothing_to_mend(profile_of: Measured) -> None:
    words = ("card", "transfer", "refund", "limit", "fee", "cash", "app", "phone")
    rows = [f"where do I find the {a} of my {b}" for a in words for b in words if a < b]
    found = profile_of(
        "text", all=pl.DataFrame({"text": [*rows, *(row.replace("find", "see") for row in rows)]})
    )
    assert [
        p["kind"] for p in found["problems"] if p["severity"] != "note" and p["kind"] != "duplicates"
    ] == []


def test_every_kind_has_a_sentence_and_a_reason() -> None:
    known = text.table("profile")
    finds = {key.removeprefix("find_") for key in known if key.startswith("find_")}
    assert finds == {key.removeprefix("why_") for key in known if key.startswith("why_")}
    assert len(finds) > 25
