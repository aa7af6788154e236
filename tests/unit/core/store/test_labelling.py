"""Labelling in the store: each decision once, nobody another's item, nothing lost by many at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tunesmith.core.errors import NotFoundError, UsageError
from tunesmith.core.store import Store
from tunesmith.core.store.labelling import Decision, Item, Label, Project, Suggestion

PROJECT = Project(
    name="意图", task="class", labels=(Label(name="card", key="1"), Label(name="汇率", key="2"))
)
HELD = Suggestion(by="given", answer={"label": "card"}, score=0.5)


def items(count: int, **settings) -> list[Item]:
    return [Item(number=n, content={"text": f"row {n} 😀"}, rank=float(n), **settings) for n in range(count)]


def decision(event: str, item: int, annotator: str = "ann", **settings) -> Decision:
    return Decision(event=event, item=item, annotator=annotator, answer={"label": "card"}, **settings)


def numbers(found: list[Item]) -> list[int]:
    return [item.number for item in found]


def test_a_project_is_told_as_it_was_made_and_goes_with_all_it_holds(store):
    made = store.create_project(PROJECT, items(3, suggested=(HELD,), gold={"label": "汇率"}))
    assert store.project("意图") == made
    assert store.items("意图")[2] == replace(items(3)[2], suggested=(HELD,), gold={"label": "汇率"})
    store.add_items("意图", items(2))
    assert numbers(store.items("意图")) == [0, 1, 2, 3, 4]
    store.change_project(replace(made, guideline="看清楚", overlap=0.5))
    assert store.project("意图").guideline == "看清楚"
    with pytest.raises(UsageError, match="L03"):
        store.create_project(PROJECT, [])
    with pytest.raises(UsageError, match="L02"):
        store.create_project(replace(PROJECT, name="a/b"), [])
    store.decide("意图", [decision("e", 0)])
    store.remove_project("意图")
    with pytest.raises(NotFoundError, match="L01"):
        store.decisions("意图")


def test_two_people_never_get_the_same_item_unless_two_are_wanted(store):
    store.create_project(PROJECT, [*items(4), replace(items(1)[0], number=4, rank=-1, wanted=2)])
    ann, bob = (store.next_items("意图", name, 3, now=0) for name in ("ann", "bob"))
    assert (numbers(ann), numbers(bob)) == ([4, 0, 1], [4, 2, 3])
    assert numbers(store.next_items("意图", "eve", 9, now=1)) == []
    assert numbers(store.next_items("意图", "ann", 9, now=1)) == [4, 0, 1]
    store.decide("意图", [decision("e0", 0)])
    store.release_items("意图", "bob")
    assert numbers(store.next_items("意图", "ann", 9, now=2)) == [4, 1, 2, 3]
    assert numbers(store.next_items("意图", "bob", 9, now=9000)) == [4, 1, 2, 3]


def test_a_decision_sent_twice_counts_once_and_an_undo_gives_the_item_back(store):
    store.create_project(PROJECT, items(2))
    first = decision("e0", 0, seconds=1.5, suggested={"label": "汇率"})
    assert store.decide("意图", [first, first]) == 1
    assert store.decide("意图", [first]) == 0
    assert numbers(store.next_items("意图", "ann", 9)) == [1]
    undo = Decision(event="u0", item=0, annotator="ann", kind="undo", undoes="e0")
    assert store.decide("意图", [undo, undo]) == 1
    assert numbers(store.next_items("意图", "ann", 9)) == [0, 1]
    assert store.standing("意图").decisions == 0
    store.decide("意图", [decision("e1", 0), replace(undo, event="u1")])
    (stands,) = store.standing_decisions("意图")
    assert stands.event == "e1", "an undo takes back what it names, and nothing later"
    assert [d.event for d in store.decisions("意图")] == ["e0", "u0", "e1", "u1"]
    kept = store.decisions("意图")[0]
    assert (kept.seconds, kept.suggested, kept.answer) == (1.5, {"label": "汇率"}, {"label": "card"})


def test_how_far_a_project_is_counts_who_is_wanted_and_what_was_settled(store):
    store.create_project(PROJECT, [*items(2, wanted=2), replace(items(1)[0], number=2)])
    store.decide("意图", [decision("a0", 0), decision("b0", 0, "bob"), decision("a1", 1)])
    store.decide("意图", [replace(decision("b2", 2, "bob"), kind="skip", answer=None)])
    standing = store.standing("意图")
    assert (standing.items, standing.decided, standing.decisions, standing.skipped) == (3, 1, 4, 1)
    assert standing.by == {"ann": 2, "bob": 2}
    store.decide("意图", [replace(decision("s1", 1, "boss"), kind="settle")])
    standing = store.standing("意图")
    assert (standing.decided, standing.settled, standing.by) == (2, 1, {"ann": 2, "bob": 2})
    store.decide("意图", [Decision(event="v", item=1, annotator="bob", kind="undo", undoes="s1")])
    assert store.standing("意图").settled == 1, "nobody takes back what somebody else settled"
    store.decide("意图", [Decision(event="u", item=1, annotator="boss", kind="undo", undoes="s1")])
    assert store.standing("意图").settled == 0


def test_what_somebody_skipped_is_offered_to_others_after_the_rest_and_never_to_two(store):
    store.create_project(PROJECT, items(3))
    store.decide("意图", [replace(decision("s0", 0), kind="skip", answer=None)])
    assert numbers(store.next_items("意图", "ann", 9, now=0)) == [1, 2]
    store.release_items("意图", "ann")
    assert numbers(store.next_items("意图", "bob", 9, now=0)) == [1, 2, 0]
    assert numbers(store.next_items("意图", "eve", 9, now=1)) == []
    store.decide("意图", [decision("b0", 0, "bob")])
    store.release_items("意图", "bob")
    assert numbers(store.next_items("意图", "eve", 9, now=1)) == [1, 2]


def test_the_queue_follows_new_ranks_and_suggestions(store):
    store.create_project(PROJECT, items(3))
    store.rank_items("意图", {2: -1.0}, "model")
    store.suggest("意图", {2: [HELD]})
    (first, *_) = store.next_items("意图", "ann", 1)
    assert (first.number, first.why, first.suggested) == (2, "model", (HELD,))


def test_a_decision_about_nothing_is_refused_and_none_of_its_fellows_is_kept(store):
    store.create_project(PROJECT, items(1))
    with pytest.raises(NotFoundError, match="L04"):
        store.decide("意图", [decision("e0", 0), decision("e1", 7)])
    assert store.decisions("意图") == []


@pytest.mark.parametrize("each", [6, pytest.param(250, marks=pytest.mark.faults)])
def test_eight_at_once_lose_nothing_and_label_nothing_twice(database, each):
    opened = Store(database)
    opened.create_project(PROJECT, items(8 * each))
    opened.close()
    start = threading.Barrier(8)

    def work(number: int) -> list[str]:
        store, kept = Store(database), []
        start.wait()
        while found := store.next_items("意图", f"a{number}", 2):
            made = [decision(f"{number}-{item.number}", item.number, f"a{number}") for item in found]
            store.decide("意图", made)
            kept += [one.event for one in made]
        store.close()
        return kept

    with ThreadPoolExecutor(8) as pool:
        kept = [event for made in pool.map(work, range(8)) for event in made]
    store = Store(database)
    assert sorted(kept) == sorted(one.event for one in store.decisions("意图"))
    assert sorted(one.item for one in store.decisions("意图")) == list(range(8 * each))
    store.close()
