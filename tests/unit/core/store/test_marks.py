"""Tags and notes belong to a release or a run, and go with it."""

from __future__ import annotations

import pytest

from tunesmith.core.errors import UsageError


def test_tags_are_put_on_and_taken_off_and_a_release_tells_its_own(store, tmp_path):
    release = store.publish("router", digest="a", folder=tmp_path, task="", lineage={})
    assert store.tag("release", release.label, ["vip", "已复核", "vip"]) == ("vip", "已复核")
    assert store.tag("run", release.label, ["other"]) == ("other",)
    assert store.release("router").tags == ("vip", "已复核")
    assert store.untag("release", release.label, ["vip", "never there"]) == ("已复核",)


def test_notes_stay_in_their_order(store):
    for text in ("first ", "第二条"):
        store.note("run", "r1", text)
    assert [note.text for note in store.notes("run", "r1")] == ["first", "第二条"]
    assert store.notes("release", "r1") == []


def test_what_is_removed_takes_its_tags_and_notes_along(store, tmp_path):
    release = store.publish("router", digest="a", folder=tmp_path, task="", lineage={})
    store.tag("release", release.label, ["vip"])
    store.note("release", release.label, "words")
    store.remove(release)
    again = store.publish("router", digest="b", folder=tmp_path, task="", lineage={})
    assert (again.label, again.tags, store.notes("release", again.label)) == ("router@1", (), [])


@pytest.mark.parametrize("tag", ["", "two words", "-x", "x" * 65, "a\nb"])
def test_what_cannot_be_a_tag_is_refused(store, tag):
    with pytest.raises(UsageError):
        store.tag("run", "r1", ["fine", tag])
    assert store.tags("run") == {}


@pytest.mark.parametrize("text", ["", " \n", "x" * 10_001])
def test_an_empty_or_endless_note_is_refused(store, text):
    with pytest.raises(UsageError):
        store.note("run", "r1", text)
