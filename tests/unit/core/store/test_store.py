"""Releases keep their versions, aliases move by compare-and-swap, keys cannot be read off the disk."""

from __future__ import annotations

import math
import threading
import time

import pytest

from tunesmith.core.errors import NotFoundError, TunesmithError
from tunesmith.core.store import Store


@pytest.fixture
def publish(store, tmp_path):
    def make(name="router", digest="a"):
        lineage = {"run": "r1", "scores": {"accuracy": 0.5}}
        return store.publish(name, digest=digest, folder=tmp_path / digest, task="classify", lineage=lineage)

    return make


def code(caught):
    return caught.value.problems[0].code


def test_the_same_content_keeps_its_version_and_other_content_gets_the_next(publish):
    assert [publish(digest=digest).version for digest in "abab"] == [1, 2, 1, 2]
    assert publish("other", "a").version == 1


def test_a_release_says_what_it_is_and_where_it_came_from(store, publish, tmp_path):
    publish()
    (found,) = store.releases()
    assert (found.label, found.task, found.folder) == ("router@1", "classify", str(tmp_path / "a"))
    assert found.lineage["scores"] == {"accuracy": 0.5}


def test_a_figure_that_is_no_number_comes_back_as_it_was(store, tmp_path):
    scores = {"perplexity": math.inf, "correlation": math.nan}
    found = store.publish("odd", digest="a", folder=tmp_path, task="", lineage={"scores": scores})
    assert found.lineage["scores"]["perplexity"] == math.inf
    assert math.isnan(found.lineage["scores"]["correlation"])


def test_all_of_it_is_there_after_opening_again(store, publish):
    publish()
    store.move("router", "production", 1, expected=None, reason="first")
    store.close()
    again = Store(store.database)
    assert again.find("router@production").version == 1
    again.close()


def test_a_label_is_a_version_an_alias_or_a_name_that_means_production_else_the_newest(store, publish):
    for digest in "abc":
        publish(digest=digest)
    assert store.find("router@2").version == 2
    assert store.find("router").version == 3
    store.move("router", "production", 1, expected=None, reason="")
    store.move("router", "candidate", 2, expected=None, reason="")
    assert store.find("router").version == 1
    assert store.find("router@candidate").version == 2
    assert [store.find(label) for label in ("router@9", "router@x", "rout", "")] == [None] * 4
    with pytest.raises(NotFoundError) as caught:
        store.release("router@9")
    assert code(caught) == "C07"
    assert "router@3" in caught.value.problems[0].values["known"]


def test_an_alias_moves_only_from_where_it_was_seen(store, publish):
    publish(digest="a")
    publish(digest="b")
    store.move("router", "production", 1, expected=None, reason="first")
    for expected in (None, 2):
        with pytest.raises(TunesmithError) as caught:
            store.move("router", "production", 2, expected=expected, reason="late")
        assert code(caught) == "C08"
    assert store.alias_version("router", "production") == 1
    assert store.move("router", "production", 2, expected=1, reason="better").aliases == ("production",)


def test_of_many_who_move_an_alias_at_once_one_wins(store, publish):
    versions = [publish(digest=digest).version for digest in "abcdefgh"]
    won = []

    def move(version):
        mine = Store(store.database)
        try:
            mine.move("router", "production", version, expected=None, reason="race")
            won.append(version)
        except TunesmithError as error:
            assert error.problems[0].code == "C08"  # noqa: PT017
        finally:
            mine.close()

    threads = [threading.Thread(target=move, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.alias_version("router", "production")] == won


def test_an_alias_cannot_point_to_nothing(store, publish):
    publish()
    with pytest.raises(NotFoundError):
        store.move("router", "production", 2, expected=None, reason="")


def test_a_rollback_goes_where_it_was_before(store, publish):
    for version, digest in enumerate("abc", 1):
        publish(digest=digest)
        before = store.alias_version("router", "production")
        store.move("router", "production", version, expected=before, reason="")
    assert store.rollback("router", "production", reason="worse").version == 2
    assert store.alias_version("router", "production") == 2


@pytest.mark.parametrize("moved", [False, True])
def test_nothing_to_go_back_to_is_told(store, publish, moved):
    publish()
    if moved:
        store.move("router", "production", 1, expected=None, reason="")
    with pytest.raises(TunesmithError) as caught:
        store.rollback("router", "production", reason="")
    assert code(caught) == "C09"


def test_a_release_that_an_alias_points_to_stays(store, publish):
    release = publish()
    store.move("router", "production", 1, expected=None, reason="")
    with pytest.raises(TunesmithError) as caught:
        store.remove(release)
    assert code(caught) == "C13"
    assert store.find("router") is not None


def test_a_removed_version_is_gone_and_its_number_is_not_given_to_another_while_it_can_be_gone_back_to(
    store, publish
):
    first, second = publish(digest="a"), publish(digest="b")
    store.move("router", "production", 2, expected=None, reason="")
    store.move("router", "production", 1, expected=2, reason="")
    store.remove(second)
    assert [release.version for release in store.releases()] == [first.version]
    assert publish(digest="c").version == 3


def test_a_session_ends_with_the_key_that_opened_it(store):
    over, _ = store.create_key("a", ("studio",), expires=time.time() - 1)
    good, _ = store.create_key("b", ("studio",), expires=time.time() + 60)
    ended, lasting = (store.open_session("admin", name="x", key=key) for key in (over, good))
    assert store.find_session(ended) is None
    assert store.find_session(lasting) is not None
    store.revoke_key(good)
    assert store.find_session(lasting) is None


def test_a_key_is_found_by_its_text_until_it_is_revoked(store):
    identity, secret = store.create_key("phone", ["chat", "classify"])
    found = store.find_key(secret)
    assert (found.id, found.name, found.scopes) == (identity, "phone", ("chat", "classify"))
    store.revoke_key(identity)
    assert store.find_key(secret) is None
    assert store.keys()[0].revoked is not None


@pytest.mark.parametrize(
    "change", [lambda s: s[:-1], lambda s: s + "x", lambda s: s.swapcase(), lambda s: ""]
)
def test_another_text_is_no_key(store, change):
    _, secret = store.create_key("phone", [])
    assert store.find_key(change(secret)) is None


@pytest.mark.parametrize("text", ["x", "tsk_0_1", "tsk__", "tsk_00000000_" + "x" * 10_000, "\0_\0_\0"])
def test_a_text_of_a_stranger_is_no_key(store, text):
    store.create_key("phone", [])
    assert store.find_key(text) is None


def test_who_reads_the_database_learns_no_key_and_the_pepper_is_the_owners(store):
    _, secret = store.create_key("phone", [])
    store.close()
    for path in store.database.path.parent.iterdir():
        # The secret part may hold underscores too.
        assert secret.split("_", 2)[2].encode() not in path.read_bytes(), path.name
    pepper = store.database.path.with_name("pepper")
    assert pepper.stat().st_mode & 0o777 == 0o600
    pepper.write_bytes(bytes(32))
    again = Store(store.database)
    assert again.find_key(secret) is None
    again.close()


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_damaged_pepper_is_refused_by_name(store, content):
    _, secret = store.create_key("phone", [])
    pepper = store.database.path.with_name("pepper")
    pepper.write_bytes(content)
    with pytest.raises(TunesmithError) as caught:
        store.find_key(secret)
    assert code(caught) == "C15"
    assert caught.value.problems[0].file == str(pepper)


def test_who_makes_the_first_keys_at_once_uses_one_pepper(store):
    others = [Store(store.database) for _ in range(6)]
    barrier = threading.Barrier(6)
    made = []

    def make(other):
        barrier.wait()
        made.append(other.create_key("phone", [])[1])

    threads = [threading.Thread(target=make, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert all(store.find_key(secret) for secret in made)
    for other in others:
        other.close()


def test_revoking_a_key_that_is_not_there_is_answered_with_those_that_are(store):
    identity, _ = store.create_key("phone", [])
    with pytest.raises(NotFoundError) as caught:
        store.revoke_key("nothing")
    assert code(caught) == "C10"
    assert identity in caught.value.problems[0].values["known"]
