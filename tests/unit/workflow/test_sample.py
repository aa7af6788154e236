from __future__ import annotations

import csv
import hashlib
import html
import re
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path

import ftfy
import pytest

from tunesmith.workflow import sample
from tunesmith.workflow.sample.plant import identity_digit, luhn_digit
from tunesmith.workflow.sample.templates import common, families

TOPICS = {
    "billing",
    "coupon",
    "defect",
    "delivery",
    "feedback",
    "login",
    "order_change",
    "refund",
}
SHA256 = "0fc4c3d5f5687bb21488caea1af30449c956cd5701156f1b0c0ccb04e96add25"


@pytest.fixture(scope="module")
def clean() -> list[dict[str, str]]:
    return sample.rows()


@pytest.fixture(scope="module")
def planted(clean: list[dict[str, str]]) -> tuple[dict[str, dict[str, str]], sample.Truth]:
    rows, truth = sample.plant(clean)
    return {row["id"]: row for row in rows}, truth


def folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def stripped(markup: str) -> str:
    return html.unescape(re.sub(r"<!--.*?-->|<[^>]*>", "", markup)).strip()


def test_the_same_count_and_seed_give_the_same_bytes_everywhere(tmp_path: Path) -> None:
    sample.write(tmp_path / "sample.csv")
    assert hashlib.sha256((tmp_path / "sample.csv").read_bytes()).hexdigest() == SHA256


def test_another_seed_gives_other_messages(clean: list[dict[str, str]]) -> None:
    same = {row["message"] for row in clean} & {row["message"] for row in sample.rows(seed=1)}
    assert len(same) < len(clean) / 5


def test_a_shorter_table_is_the_start_of_a_longer_one(clean: list[dict[str, str]]) -> None:
    assert sample.rows(300) == clean[:300]


def test_the_written_table_reads_back_as_what_was_planted(tmp_path: Path) -> None:
    truth = sample.write(tmp_path / "sample.csv", 400, seed=3)
    with (tmp_path / "sample.csv").open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    assert (read, truth) == sample.plant(sample.rows(400, seed=3), seed=3)


def test_half_of_it_is_chinese_and_every_topic_has_ten_families_in_each_language(
    clean: list[dict[str, str]],
) -> None:
    languages = Counter(row["language"] for row in clean)
    assert abs(languages["zh"] - languages["en"]) < 100
    found = defaultdict(set)
    for row in clean:
        found[row["topic"], row["language"]].add(row["family"])
    assert {topic for topic, _ in found} == TOPICS
    assert len(found) == 2 * len(TOPICS)
    assert min(map(len, found.values())) >= 10
    assert {row["family"] for row in clean} == {family.id for family in families()}


def test_a_chinese_message_and_its_reply_are_chinese(clean: list[dict[str, str]]) -> None:
    for row in clean:
        for column in ("message", "reply"):
            chinese = len(re.findall(r"[\u4e00-\u9fff]", row[column]))
            mostly_chinese = chinese > len(row[column]) / 4
            assert mostly_chinese == (row["language"] == "zh"), row


def test_no_template_mark_is_left_in_a_message_or_a_reply(clean: list[dict[str, str]]) -> None:
    left = [row for row in clean if re.search(r"[{}\[\]|#]|product_", row["message"] + row["reply"])]
    assert left == []
    assert all(row[column].strip() for row in clean for column in sample.COLUMNS)


def test_no_message_repeats_another_before_problems_are_planted() -> None:
    many = sample.rows(6000)
    assert len({folded(row["message"]) for row in many}) == len(many)


def test_a_phrase_belongs_to_one_family_and_a_family_to_one_topic() -> None:
    said = Counter(phrase for family in families() for phrase in family.say)
    assert said.most_common(1)[0][1] == 1
    assert len({family.id for family in families()}) == len(families())
    assert all(len(family.say) >= 2 for family in families())


def test_a_reply_takes_up_what_the_message_named(clean: list[dict[str, str]]) -> None:
    late = [row for row in clean if row["family"] == "delivery-en-where_is_it"]
    for row in late:
        number = re.search(r"\d{6}", row["message"])
        assert ("send us the order number" in row["reply"]) == (number is None)
    named = re.findall("that your ([a-z ]+) is not there", " ".join(row["reply"] for row in late))
    assert set(named) & set(common("en")["slots"]["product"])
    by_family = [row for row in clean if row["family"] == "feedback-zh-love_it"]
    for row in by_family:
        product = row["reply"].partition("您对")[2].partition("满意")[0]
        assert product in row["message"], row


def test_the_planted_shares_are_those_promised(
    planted: tuple[dict[str, dict[str, str]], sample.Truth],
) -> None:
    assert planted[1].counts() == {
        "duplicates": 60,
        "variants": 40,
        "conflicts": 10,
        "mojibake": 40,
        "html": 60,
        "personal": 100,
        "wrong_labels": 60,
        "unlabelled": 10,
    }


def test_a_row_has_one_problem_and_all_other_rows_are_as_they_were(
    clean: list[dict[str, str]], planted: tuple[dict[str, dict[str, str]], sample.Truth]
) -> None:
    rows, truth = planted
    kinds = [getattr(truth, kind) for kind in truth.counts()]
    touched = Counter(row_id for kind in kinds for row_id in kind)
    assert set(touched.values()) == {1}
    for row in clean:
        assert (rows[row["id"]] == row) == (row["id"] not in touched), row


def test_copies_stand_behind_an_untouched_original(
    clean: list[dict[str, str]], planted: tuple[dict[str, dict[str, str]], sample.Truth]
) -> None:
    rows, truth = planted
    before = {row["id"]: row for row in clean}
    for copy, original in {**truth.duplicates, **truth.variants, **truth.conflicts}.items():
        assert original < copy
        assert rows[original] == before[original]
        assert folded(rows[copy]["message"]) == folded(rows[original]["message"])
        same_topic = rows[copy]["topic"] == rows[original]["topic"]
        assert same_topic == (copy not in truth.conflicts)
        same_message = rows[copy]["message"] == rows[original]["message"]
        assert same_message == (copy not in truth.variants)


def test_nothing_else_repeats(planted: tuple[dict[str, dict[str, str]], sample.Truth]) -> None:
    rows, truth = planted
    repeated = len(rows) - len({folded(row["message"]) for row in rows.values()})
    assert repeated == len(truth.duplicates) + len(truth.variants) + len(truth.conflicts)


def test_mojibake_and_html_can_be_undone_to_the_message(
    planted: tuple[dict[str, dict[str, str]], sample.Truth],
) -> None:
    rows, truth = planted
    for row_id, message in truth.mojibake.items():
        assert rows[row_id]["message"] != message
        assert ftfy.fix_encoding(rows[row_id]["message"]) == message
    for row_id, message in truth.html.items():
        assert rows[row_id]["message"] != message
        assert stripped(rows[row_id]["message"]) == message


def test_wrong_and_missing_labels_are_known(
    clean: list[dict[str, str]], planted: tuple[dict[str, dict[str, str]], sample.Truth]
) -> None:
    rows, truth = planted
    right = {row["id"]: row["topic"] for row in clean}
    for row_id, topic in {**truth.wrong_labels, **truth.unlabelled}.items():
        assert topic == right[row_id] != rows[row_id]["topic"]
    assert {rows[row_id]["topic"] for row_id in truth.unlabelled} == {""}
    assert {rows[row_id]["topic"] for row_id in truth.wrong_labels} <= TOPICS


def test_personal_data_is_in_the_message_and_reserved_or_never_assigned(
    planted: tuple[dict[str, dict[str, str]], sample.Truth],
) -> None:
    rows, truth = planted
    reserved = re.compile(
        r"[\w.]+@example\.(com|net|org)"
        r"|(\+44 7|07)700 900\d{3}|\+1 202-555-01\d\d|\(415\) 555-01\d\d|(\+86 )?154[\d-]{8,10}"
        r"|400000\d{10}|620000\d{13}|99\d{15}[\dX]"
    )
    for row_id, value in truth.personal.items():
        assert value in rows[row_id]["message"]
        assert reserved.fullmatch(value), value
        if value.startswith(("400000", "620000")):
            assert luhn_digit(value[:-1]) == value[-1]
        if value.startswith("99"):
            assert identity_digit(value[:-1]) == value[-1]


@pytest.mark.parametrize(
    ("digits", "check"), [("7992739871", "3"), ("411111111111111", "1"), ("37828224631000", "5")]
)
def test_card_check_digits_agree_with_published_examples(digits: str, check: str) -> None:
    assert luhn_digit(digits) == check


def test_identity_check_digit_agrees_with_the_example_of_the_standard() -> None:
    assert identity_digit("11010519491231002") == "X"
    assert identity_digit("44052418800101001") == "4"
