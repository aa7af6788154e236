"""What was labelled comes back from every format as it was, whatever the characters before a place."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunesmith.core.store import Store
from tunesmith.core.store.labelling import Decision, Item
from tunesmith.core.workspace import Workspace
from tunesmith.data.annotation.outcome import Outcome
from tunesmith.data.writing import write
from tunesmith.workflow.labelling.exporting import frame
from tunesmith.workflow.labelling.making import Wish, create

# Families, flags, skin tones, combining marks, full-width forms, rare Chinese: what UTF-16 counts otherwise.
HARD = st.sampled_from(
    ["👩‍👩‍👧", "🇨🇳", "👍🏽", "e\u0301", "Ｂ", "１", "𠮷", "北京", "Ann", "ก็", "ñ", "，", "x"]
)
WORDS = st.lists(st.lists(HARD, min_size=1, max_size=3).map("".join), min_size=2, max_size=6)
SPANS = [
    "label_studio.json",
    "doccano.jsonl",
    "prodigy.jsonl",
    "spacy.json",
    "argilla.jsonl",
    "token_tags.jsonl",
    "conll.conll",
]
CLASSES = ["text_label.csv", "text_label.jsonl", "label_studio.json", "argilla.jsonl"]
SEVERAL = ["multi_label.jsonl", "label_studio.json", "argilla.jsonl"]
QUIET = settings(max_examples=2, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trips")
    store = Store(Workspace(folder / ".tunesmith").database)
    yield folder, store
    store.close()


def outcome(number, answer):
    made = Decision(event=str(number), item=number, annotator="a", answer=answer)
    return Outcome(item=number, decisions=(made,), answer=answer)


def trip(place, task, content, answers, file):
    """Written to a file in a layout, and read as a project again: the contents and what is suggested."""
    folder, store = place
    layout, suffix = file.split(".")
    path = folder / f"rows.{suffix}"
    rows = [(Item(number=n, content=content[n]), outcome(n, answer)) for n, answer in enumerate(answers)]
    write([frame(task, rows)], path, layout)
    name = f"{layout}-{suffix}"
    if name in {project.name for project in store.projects()}:
        store.remove_project(name)
    create(store, [str(path)], Wish(name=name, kind=task, labels=("PER", "地点")), fields={})
    return [
        (item.content, item.suggested[0].answer if item.suggested else None) for item in store.items(name)
    ]


@pytest.mark.parametrize("file", SPANS)
@QUIET
@given(rows=st.lists(WORDS, min_size=3, max_size=8))
def test_spans_come_back_at_their_places(place, file, rows):
    content, answers = [], []
    for number, words in enumerate(rows):
        at = number % len(words)
        start = len(" ".join(words[:at])) + bool(at)
        content.append({"text": " ".join(words)})
        answers.append({"spans": [{"start": start, "end": start + len(words[at]), "label": "地点"}]})
    found = trip(place, "spans", content, answers, file)
    marked = [(c["text"][s["start"] : s["end"]], s["label"]) for c, a in found for s in a["spans"]]
    assert marked == [(words[number % len(words)], "地点") for number, words in enumerate(rows)]
    if file.split(".")[0] not in ("conll", "token_tags"):
        assert found == list(zip(content, answers, strict=True))


@pytest.mark.parametrize("file", CLASSES)
@QUIET
@given(rows=st.lists(WORDS, min_size=3, max_size=8, unique_by=tuple))
def test_classes_come_back(place, file, rows):
    content = [{"text": " ".join(words)} for words in rows]
    answers = [{"label": ("地点", "PER")[number % 2]} for number in range(len(rows))]
    assert trip(place, "class", content, answers, file) == list(zip(content, answers, strict=True))


@pytest.mark.parametrize("file", SEVERAL)
@QUIET
@given(rows=st.lists(WORDS, min_size=3, max_size=8, unique_by=tuple))
def test_several_labels_come_back(place, file, rows):
    content = [{"text": " ".join(words)} for words in rows]
    answers = [{"labels": (["地点", "PER"], ["PER"])[number % 2]} for number in range(len(rows))]
    assert trip(place, "multilabel", content, answers, file) == list(zip(content, answers, strict=True))


@QUIET
@given(rows=st.lists(WORDS, min_size=3, max_size=8))
def test_answers_come_back_from_squad(place, rows):
    content = [{"question": "谁👍？", "text": " ".join(words)} for words in rows]
    answers = [{"answers": [{"text": words[1], "start": len(words[0]) + 1}]} for words in rows]
    answers[0] = {"answers": []}
    found = trip(place, "answer", content, answers, "squad.json")
    assert [answer for _, answer in found] == answers
    assert [shown["text"] for shown, _ in found] == [shown["text"] for shown in content]


def test_argilla_records_of_both_versions_are_read(place):
    folder, store = place
    rows = [
        {
            "fields": {"text": "one"},
            "responses": {
                "q": [{"value": "a", "status": "discarded"}, {"value": "b", "status": "submitted"}]
            },
        },
        {"fields": {"text": "two"}, "responses": [{"values": {"q": {"value": "a"}}, "status": "submitted"}]},
        {"fields": {"text": "three"}, "responses": {}},
    ]
    (folder / "records.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    create(store, [str(folder / "records.jsonl")], Wish(name="records"), fields={})
    found = [item.suggested[0].answer["label"] if item.suggested else None for item in store.items("records")]
    assert found == ["b", "a", None]
    assert [label.name for label in store.project("records").labels] == ["a", "b"]
