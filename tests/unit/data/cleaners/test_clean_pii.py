"""Personal data: what is masked, what is not, and that masks never nest."""

from __future__ import annotations

import re
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import change, dropped, rows, run

from tunesmith.core.errors import RecipeError
from tunesmith.data.cleaners.pii_kinds import FORMS

VALUES = [
    "li@example.com", "13800130001", "+86 138-0013-0001", "010-62345678", "+1 202-555-0005",
    "(020) 7946 0958", "07911 123456", "110101199003070038", "4111 1111 1111 1111", "5500000000000004",
    "192.0.2.33", "2001:db8::1", "sk-abc123def456ghi789jkl0", "ghp_" + "a1" * 18, "AKIAIOSFODNN7EXAMPLE",
    "[EMAIL]", "[PHONE]",
]  # fmt: skip
JOINTS = ["", " ", "-", ".", "，", "@", ":", "1", "a", "/", "("]
MASK = re.compile(r"\[(?:EMAIL|PHONE|ID|CARD|IP|KEY)(?:_[0-9a-f]{8})?\]")


@given(st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(JOINTS)), max_size=6), st.booleans())
def test_masks_never_nest_and_masking_twice_is_once(parts: list[tuple[str, str]], named: bool) -> None:
    settings = {"pseudonyms": True, "salt": "s"} if named else {}
    (once,) = change("mask_pii", "".join(value + joint for value, joint in parts), **settings)
    outside = MASK.sub("", once or "")
    assert "[" not in outside
    assert "]" not in outside
    assert change("mask_pii", once, **settings) == [once]


@given(st.text(alphabet="0123456789+()-. ８:@abxX", max_size=24))
def test_the_cheap_patterns_find_all_that_the_exact_ones_match(text: str) -> None:
    for form in FORMS:
        if any(form.is_real(match[0]) for match in form.pattern.finditer(text)):
            assert pl.Series([text]).str.contains(form.suspect)[0], form


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("call 02072069400 or 0871 230 0220 or (01632) 960 001", "call [PHONE] or [PHONE] or [PHONE]"),
        ("07911 123456，0086 13800130001", "[PHONE]，[PHONE]"),
        ("１３８００１３０００１", "[PHONE]"),
        ("key AKIAIOSFODNN7EXAMPLE, sk-test-EXAMPLE000007notreal", "key [KEY], [KEY]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nok", "[KEY]\nok"),
    ],
)
def test_what_is_masked(before: str, after: str) -> None:
    assert change("mask_pii", before) == [after]


@pytest.mark.parametrize(
    "text",
    [
        "section 1.2.3.4, at 127.0.0.1 and 0.0.0.0",
        "C = A@B.transpose()",
        "sk-learn-is-a-good-library-for-this, ISBN 0123456789",
        "x = 5 +100 200, 3+12345678",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    ],
)
def test_what_is_not(text: str) -> None:
    assert change("mask_pii", text) == [text]


@pytest.mark.parametrize("line", ["a" * 100_000, "a." * 50_000, "-----BEGIN PRIVATE KEY-----\n" * 4000])
def test_the_time_for_a_long_text_grows_with_its_length_only(line: str) -> None:
    began = time.process_time()
    assert change("mask_pii", f"{line} li@example.com") == [f"{line} [EMAIL]"]
    assert time.process_time() - began < 5


def test_wallets_are_masked_when_asked_for_and_their_hash_is_right() -> None:
    good, bad = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb"
    assert change("mask_pii", f"{good} {bad} 0x{'a1' * 20}", kinds=["wallet"]) == [f"[WALLET] {bad} [WALLET]"]


def test_only_the_kinds_asked_for() -> None:
    assert change("mask_pii", "li@example.com 13800130001", kinds=["phone"]) == ["li@example.com [PHONE]"]


def test_the_same_person_gets_the_same_pseudonym_however_written() -> None:
    texts = ["Li@x.com", "li@x.com", "13800130001", "+86 138-0013-0001", "13800130002"]
    one = change("mask_pii", *texts, pseudonyms=True, salt="a")
    assert one[0] == one[1] != change("mask_pii", texts[0], pseudonyms=True, salt="b")[0]
    assert one[2] == one[3] != one[4]
    assert all(MASK.fullmatch(str(text)) for text in one)


def test_pseudonyms_need_a_salt() -> None:
    with pytest.raises(RecipeError) as caught:
        change("mask_pii", "x", pseudonyms=True)
    assert caught.value.problems[0].code == "D62"


def test_numbers_in_sums_questions_and_titles_stay(shared_data: Path) -> None:
    for line in (shared_data / "math_gsm8k_train/train.jsonl", shared_data / "cls_csl_zh/cls_ctg_train.tsv"):
        texts = line.read_text("utf-8").split("\n")
        assert run("mask_pii", rows(text=texts)).counts == {}
    bank = pl.read_csv(shared_data / "cls_banking77/train.csv", infer_schema=False)
    assert run("mask_pii", rows(text=bank["text"])).counts == {}


def test_masking_drops_no_row() -> None:
    assert dropped("mask_pii", "li@example.com", None, "") == {}
