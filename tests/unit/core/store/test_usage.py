"""What keys used is added up, whoever counts it."""

from __future__ import annotations

from tunesmith.core.store import Store, Used


def test_counts_of_a_day_add_up_and_days_are_apart(store: Store) -> None:
    store.add_usage("2026-11-25", {"a": Used(requests=9)})
    store.add_usage("2026-11-26", {"a": Used(requests=1, prompt_tokens=5), "b": Used(requests=1)})
    store.add_usage("2026-11-26", {"a": Used(requests=2, new_tokens=2**40)})
    today = Used(requests=3, prompt_tokens=5, new_tokens=2**40)
    assert store.usage("2026-11-26") == {"a": today, "b": Used(requests=1)}
    assert store.usage()["a"].requests == 12
    assert today.tokens == 5 + 2**40


def test_a_key_knows_its_quotas(store: Store) -> None:
    _, secret = store.create_key("app", ("serve",), quota_tokens=10**12)
    found = store.find_key(secret)
    assert found is not None
    assert (found.quota_requests, found.quota_tokens) == (None, 10**12)
    assert store.keys() == [found]
