"""The page: complete in itself, safe, in two languages, and drawn for few labels and for many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tunesmith.core import text
from tunesmith.core.events import Answer
from tunesmith.eval.causes import Cause, Example
from tunesmith.eval.classes import Mistake
from tunesmith.eval.gate import OPEN, Check, Verdict
from tunesmith.eval.html import render
from tunesmith.eval.outcome import LabelOutcome
from tunesmith.eval.report import Candidate, Provenance, Report
from tunesmith.eval.slices import Condition, Slice, Slices
from tunesmith.eval.thresholds import Threshold
from tunesmith.pages.words import Speaker

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}"
VOID = {"meta", "link", "img", "br", "input", "hr", "wbr", "base"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; refuses tags that do not match."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def many_labels(count: int) -> LabelOutcome:
    generator = np.random.default_rng(0)
    targets = generator.integers(0, count, 900)
    probabilities = generator.random((900, count)) * 0.7
    probabilities[np.arange(900), targets] += 0.4
    return LabelOutcome(
        labels=tuple(f"label_{i}" for i in range(count)),
        texts=[f"text {i}" for i in range(900)],
        targets=targets,
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        rows=np.arange(900),
    )


PART = Slice(conditions=(Condition(column=EVIL, value=EVIL),), rows=30, value=0.2, rest=0.9, p=0.001)


def evil_report(report: Report) -> Report:
    """All places where a user's own words get onto the page, filled with markup."""
    return replace(
        report,
        task=EVIL, model=EVIL, part=EVIL,
        scores={EVIL: 0.5}, directions={EVIL: "higher"}, baselines={EVIL: {EVIL: 0.4}},
        labels=(EVIL, "b", "c"),
        per_class=tuple(replace(score, label=EVIL) for score in report.per_class),
        mistakes=(Mistake(text=EVIL, file=EVIL, line=3, target=EVIL, predicted=EVIL, probability=0.9),),
        samples=(Answer(prompt=EVIL, answer=EVIL, expected=EVIL),),
        candidates=(Candidate(name=EVIL, scores={EVIL: 0.1}, kept=True),),
        validation=tuple(replace(p, scores={EVIL: 0.1 * p.step}) for p in report.validation),
        ledger={**report.ledger, "dropped": {EVIL: 2}, "held_out": {EVIL: 5}},
        gate=Verdict(passed=False, checks=(
            Check(metric=EVIL, rule="not_worse_than", bound=0.6, value=0.5, passed=False, reference=EVIL),
        )),
        slices=Slices(metric=EVIL, groups=(PART,), worst=(PART,), searched=2),
        causes=(Cause(kind="label_issue", rows=1, share=0.5, examples=(
            Example(text=EVIL, target=EVIL, predicted=EVIL, evidence=EVIL),
        )),),
        thresholds=(Threshold(label=EVIL, threshold=0.3, f1=0.5, usual=0.4),),
        provenance=Provenance(run=EVIL, data=EVIL, model=EVIL, versions={EVIL: EVIL}),
    )  # fmt: skip


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("count", [3, 40])
def test_what_users_write_stays_text(report: Report, lang: str, count: int) -> None:
    evil = evil_report(report)
    if count > 3:
        crowd = evil.with_labels(many_labels(count), lambda row: (EVIL, row))
        evil = replace(crowd, labels=tuple(EVIL + label for label in crowd.labels))
    page = Page(render(evil, lang))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "img", "iframe", "object", "link", "base"})
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    # Each of them is there, letter for letter: nothing was dropped, nothing was taken for a template.
    assert page.text.count("alert('x')") > 24
    assert "{{ 7*7 }}" in page.text


@pytest.mark.parametrize("count", [3, 40])
def test_the_page_asks_for_nothing(report: Report, count: int) -> None:
    if count > 3:
        report = report.with_labels(many_labels(count), lambda row: ("a.csv", row))
    source = render(report, "en")
    page = Page(source)
    loading = {"src", "href", "srcset", "data", "action", "poster", "xlink:href"}
    assert not [(tag, attributes) for tag, attributes in page.tags if loading & attributes.keys()]
    assert not re.search(r"url\(|@import|https?://", source)
    policy = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy[0]).startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_each_language_is_complete(report: Report) -> None:
    english, chinese = Page(render(report, "en")).text, Page(render(report, "zh")).text
    assert "Gate not passed" in english
    assert not re.search(r"[一-鿿]", re.sub("退款|发票|你好", "", english.replace("Noto", "")))
    assert "未通过门槛" in chinese
    for sentence in ("Gate", "Scores", "Training loss", "Confusion", "Provenance", "held out"):
        assert sentence not in chinese


def test_figures_and_places_are_on_the_page(report: Report) -> None:
    shown = Page(render(report, "en")).text
    for figure in ("0.600", "0.575", "tickets.csv:106", "tickets-1", "d" * 64, "torch 2.13", "no label"):
        assert figure in shown
    assert "Accuracy 0.600 on 5 rows of the test part." in shown
    assert "The best baseline, TF-IDF + linear, reaches 0.500: the model is ahead by 0.100." in shown
    assert "nothing is there yet to compare with" in shown


def test_the_page_says_what_is_chance_and_what_is_not(report: Report) -> None:
    page = re.sub(r"<[^>]+>", " ", render(report, "en"))
    said = re.sub(r"\s+", " ", page)
    assert "0.250 to 0.875 in 95 of 100 samples" in said
    assert "most frequent label +0.200 +0.125 … +0.375 &lt; 0.001 0.150 better" in said
    assert "+0.100 −0.125 … +0.250 0.400 0.312 not shown" in said
    assert "Accuracy less than 0.062 worse than TF-IDF + linear (0.500); may be worse by 0.125" in said
    assert "Accuracy better than most frequent label (0.400); surely better by 0.188" in said


def test_every_picture_is_described(report: Report) -> None:
    page = Page(render(report.with_labels(many_labels(40), lambda row: ("a", row)), "en"))
    pictures = [a for tag, a in page.tags if tag == "svg" and a.get("aria-hidden") != "true"]
    assert len(pictures) >= 4
    assert all(a.get("role") == "img" and len(str(a.get("aria-label"))) > 20 for a in pictures)


def test_a_few_labels_are_a_table_and_many_a_picture(report: Report) -> None:
    few = render(report, "en")
    many = render(report.with_labels(many_labels(40), lambda row: ("a", row)), "en")
    assert 'class="matrix"' in few
    assert 'class="heat"' not in few
    assert 'class="heat"' in many
    assert "Show the other 28 labels" in many


def test_a_great_many_labels_leave_a_page_that_opens_quickly(report: Report) -> None:
    source = render(report.with_labels(many_labels(300), lambda row: ("a", row)), "en")
    assert "too many to draw" in source
    assert len(source) < 1_000_000


def test_a_language_model_has_scores_curve_samples_and_ledger(report: Report) -> None:
    chat = replace(
        report, task="chat", scores={"perplexity": 7.42}, directions={"perplexity": "lower"},
        baselines={"production": {"perplexity": 9.87}}, labels=(), per_class=(), confusion=(),
        mistakes=(), gate=OPEN,
    )  # fmt: skip
    shown = Page(render(chat, "en")).text
    for part in ("7.42", "lower is better", "ahead by 2.45", "你好", "Training loss", "Every row", "No gate"):
        assert part in shown
    assert "Confusion" not in shown


def bare(report: Report) -> Iterator[Report]:
    yield Report(
        task="generate", model="m", part="test", rows=0, scores={}, directions={},
        provenance=Provenance(run="r", data="d", model="m"),
    )  # fmt: skip
    yield replace(report, scores={"accuracy": float("nan"), "perplexity": float("inf")})
    yield replace(report, curve=report.curve[:1], validation=())
    yield replace(report, mistakes=(), confusion=((2, 0, 0), (0, 0, 0), (0, 0, 3)))


def test_reports_with_parts_missing_have_a_page(report: Report) -> None:
    for odd in bare(report):
        assert "nan" not in re.sub(r"provenance", "", Page(render(odd, "en")).text.lower())


def test_half_a_sign_does_not_keep_the_page_from_being_written(report: Report) -> None:
    assert render(replace(report, model="half \ud83d"), "zh").encode("utf-8")


def test_names_we_have_no_word_for_are_left_alone() -> None:
    assert Speaker("eval", "zh").name("metric", "my:metric") == "my:metric"
    assert Speaker("eval", "zh").name("metric", "accuracy") == "准确率"
