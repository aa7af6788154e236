"""A project's model: it suggests, the queue follows it, and it says when more labels bring little."""

from __future__ import annotations

import json

import pytest

from tunesmith.core.errors import NotFoundError, UsageError
from tunesmith.core.store import Store
from tunesmith.core.store.labelling import Decision, Item, Label, Project, Suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.data.annotation.choosing import ORDERS
from tunesmith.workflow.labelling import suggesters
from tunesmith.workflow.labelling.following import LEARNED, Background
from tunesmith.workflow.labelling.making import Wish, create
from tunesmith.workflow.labelling.quality import quality

WORDS = {"card": "my card is lost", "汇率": "今天 的 汇率 怎么", "fee": "why did you charge"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labelling")
    labels = list(WORDS)
    lines = [f"{WORDS[labels[n % 3]]} {n % 3 * 'so '}{n},{labels[n % 3]}" for n in range(240)]
    (folder / "rows.csv").write_text("\n".join(["text,label", *lines]) + "\n", "utf-8")
    (folder / "r.toml").write_text('[[rule]]\nlabel = "card"\nwords = ["card"]\n', "utf-8")
    workspace = Workspace(folder / ".tunesmith")
    store = Store(workspace.database)
    yield folder, workspace, store
    store.close()


def make(place, name, **wish):
    folder, _, store = place
    return create(store, [str(folder / "rows.csv")], Wish(name=name, **wish), fields={})


def label(store, project, items, annotator="ann", wrong=()):
    for item in items:
        said = (
            "fee" if item.number in wrong else item.suggested[0].answer["label"] if item.gold is None else ""
        )
        made = Decision(
            event=f"{annotator}{item.number}", item=item.number, annotator=annotator, answer={"label": said}
        )
        store.decide(project.name, [made])


@pytest.mark.parametrize("order", ORDERS)
def test_the_queue_follows_what_was_labelled_and_keeps_drawing_at_random(place, order):
    _, workspace, store = place
    project = make(place, order, order=order, random=0.2)
    background = Background(store, workspace)
    background.begin(project)
    background.join()
    assert not background.of(project).follow(), "nothing is known yet"
    first = {item.why for item in store.next_items(order, "ann", 20)}
    assert first == ({"model", "random"} if order == "mixed" else {"given", "random"}), (
        "what is typical first"
    )
    label(store, project, store.next_items(order, "ann", 12))
    background.labelled(project, 12)
    background.join()
    assert background.failed == {}
    ahead = store.next_items(order, "ann", 50)
    assert {item.why for item in ahead} == {"model", "random"}
    assert sum(item.why == "random" for item in ahead) == 10
    assert all(item.rank < 0 for item in ahead)
    assert any(LEARNED in item.suggested[0].by for item in ahead)


def test_several_labels_are_learned_each_by_itself(place):
    folder, workspace, store = place
    said = {(): "hello there", ("card",): "my card", ("fee",): "this fee", ("card", "fee"): "card fee"}
    rows = [{"text": f"{said[key]} {n}", "labels": list(key)} for n in range(30) for key in said]
    (folder / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    for order in ORDERS:
        wish = Wish(name=f"several-{order}", order=order, random=0.3)
        project = create(store, [str(folder / "m.jsonl")], wish, fields={})
        following = Background(store, workspace).of(project)
        for item in store.next_items(project.name, "ann", 100):
            answer = {"labels": rows[item.number]["labels"]}
            made = Decision(event=f"e{item.number}", item=item.number, annotator="ann", answer=answer)
            store.decide(project.name, [made])
        assert following.follow()
        (ahead, *_) = store.next_items(project.name, "ann", 1)
        (learned, *_) = ahead.suggested
        assert (ahead.rank < 0, LEARNED in learned.by) == (True, True)
        assert learned.answer["labels"] == rows[ahead.number]["labels"]
    found = following.stopping()
    assert (found.advice, found.curve[-1][1]) == ("stop", 1.0)


def test_where_no_model_learns_it_is_said(place):
    folder, workspace, store = place
    (folder / "t.csv").write_text("text,score\nbad,1\ngood,5\n", "utf-8")
    with pytest.raises(UsageError, match="L15"):
        create(store, [str(folder / "t.csv")], Wish(name="n", kind="rating", order="margin"), fields={})
    project = create(store, [str(folder / "t.csv")], Wish(name="n", kind="rating"), fields={})
    assert Background(store, workspace).of(project).stopping().advice == "no_learner"


def test_what_a_user_said_stays_suggested_when_the_model_has_learned(place):
    _, workspace, store = place
    said = Suggestion(by="correction", answer={"label": "fee"}, score=1.0)
    labels = tuple(Label(name=name) for name in WORDS)
    items = [
        Item(number=n, content={"text": f"{text} {n}"}, rank=float(n), suggested=(said,))
        for n, text in enumerate(list(WORDS.values()) * 10)
    ]
    project = store.create_project(Project(name="use", task="class", labels=labels), items)
    for item in items[:15]:
        answer = {"label": list(WORDS)[item.number % 3]}
        made = Decision(event=f"e{item.number}", item=item.number, annotator="ann", answer=answer)
        store.decide("use", [made])
    for following in (Background(store, workspace).of(project), Background(store, workspace).of(project)):
        assert following.follow()
        (ahead, *_) = store.next_items("use", "ann", 1)
        assert ahead.suggested[0].by.startswith("correction")
        assert ahead.suggested[0].answer == {"label": "fee"}
        assert any(LEARNED in one.by for one in ahead.suggested)


def test_rules_and_models_suggest_before_anything_is_labelled(place):
    folder, workspace, store = place
    rules = suggesters.of_name(str(folder / "r.toml"), workspace)
    with pytest.raises(NotFoundError, match="M01"):
        suggesters.of_name("nosuch", workspace)
    project = make(place, "ruled", suggesters=[rules])
    Background(store, workspace).of(project).follow()
    first, second, *_ = store.next_items("ruled", "ann", 2)
    assert (first.suggested[0].by, first.suggested[0].answer) == ("r", {"label": "card"})
    assert second.suggested == ()


def test_stopping_is_advised_by_what_was_drawn_at_random(place):
    _, workspace, store = place
    project = make(place, "stop", order="margin", random=0.5)
    following = Background(store, workspace).of(project)
    assert following.stopping().advice == "too_few"
    label(store, project, store.next_items("stop", "ann", 200))
    found = following.stopping()
    assert found.held_out >= 20
    assert found.curve[-1][1] > 0.95
    assert found.advice == "stop"


def test_ratings_that_are_near_agree_more_than_those_that_are_far_up_to_ten(place):
    folder, _, store = place
    rows = folder / "rated.csv"
    rows.write_text("text,score\nbad,\nfair,\ngood,\nbest,\n", "utf-8")
    project = create(store, [str(rows)], Wish(name="r", kind="rating", scale=10, overlap=1.0), fields={})
    for name, ratings in (("ann", (1, 2, 9, 10)), ("bob", (1, 2, 10, 9))):
        for item, rating in zip(store.items(project.name), ratings, strict=True):
            made = Decision(
                event=f"{name}{item.number}", item=item.number, annotator=name, answer={"rating": rating}
            )
            store.decide(project.name, [made])
    (pair,) = quality(store, project.name).pairs
    assert pair.kappa == pytest.approx(0.9846, abs=1e-4)


def test_the_quality_of_labels_is_told_of_all_and_of_each(place):
    folder, _, store = place
    gold = folder / "gold.csv"
    gold.write_text("text,label\nmy card,card\nwhy charge,fee\n", "utf-8")
    project = create(
        store, [str(folder / "rows.csv")], Wish(name="q", overlap=1.0), fields={}, gold=[str(gold)]
    )
    items = [item for item in store.items("q") if item.gold is None][:30]
    label(store, project, items)
    label(store, project, items, "bob", wrong=(0, 1))
    for item, said in zip(store.items("q")[-2:], ("card", "card"), strict=True):
        store.decide(
            "q",
            [Decision(event=f"g{item.number}", item=item.number, annotator="bob", answer={"label": said})],
        )
    found = quality(store, "q")
    assert (found.overlapping, found.disputed) == (30, (0, 1))
    assert 0.85 < found.alpha < 1
    (pair,) = found.pairs
    assert (pair.items, pair.agreed) == (30, round(28 / 30, 4))
    ann, bob = found.annotators
    assert (ann.took, bob.took, bob.gold, bob.gold_seen) == (None, None, 1, 2)
    settle = Decision(event="s", item=0, annotator="boss", kind="settle", answer={"label": "card"})
    store.decide("q", [settle])
    assert quality(store, "q").disputed == (1,)


def test_rows_in_doubt_are_a_queue_of_their_own(place):
    folder, _, store = place
    lines = (folder / "rows.csv").read_text("utf-8").splitlines()
    lines[1] = lines[1].rpartition(",")[0] + ",fee"
    (folder / "wrong.csv").write_text("\n".join(lines) + "\n", "utf-8")
    create(store, [str(folder / "wrong.csv")], Wish(name="doubt", doubtful=True), fields={})
    first, *others = store.next_items("doubt", "ann", 99)
    assert len(others) < 20
    assert (first.why, first.content["text"].split()) == ("review", ["my", "card", "is", "lost", "0"])
    assert [one.answer["label"] for one in first.suggested] == ["card", "fee"]
