"""What keys use is counted and kept; who used up a day's quota is told when it is renewed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.core.store import Store, Used
from tunesmith.models.language import LanguageModel
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serving
from tunesmith.serve.usage import Spent, Usage

NOON = 1_795_694_400.0  # 2026-11-26 12:00 UTC


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "store.sqlite")
    yield made
    made.close()


def test_requests_and_tokens_are_counted_by_key_and_quotas_are_kept(
    store: Store, stories: LanguageModel
) -> None:
    (free, secret), (bound, small) = (
        store.create_key(name, ("serve",), quota_tokens=quota) for name, quota in (("a", None), ("b", 12))
    )
    body = {"model": "stories", "prompt": "Once upon", "max_tokens": 10}

    def ask(key: str, **more: Any) -> httpx.Response:
        return httpx.post(
            f"{url}/v1/completions", json={**body, **more}, headers={"Authorization": f"Bearer {key}"}
        )

    with serving([deploy(stories)], store=store) as url:
        used = ask(secret).json()["usage"]
        ask(secret, stream=True)
        assert ask(small).status_code == 200
        refused = ask(small)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "insufficient_quota")
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    found = store.usage()
    assert found[free] == Used(
        requests=2, prompt_tokens=2 * used["prompt_tokens"], new_tokens=2 * used["completion_tokens"]
    )
    assert found[bound].requests == 1


def test_a_new_day_renews_the_quota_and_servers_know_of_each_other(store: Store) -> None:
    _, secret = store.create_key("a", ("serve",), quota_requests=2)
    key = store.find_key(secret)
    assert key is not None
    now = [NOON]
    here, there = (Usage(store, clock=lambda: now[0], every_s=3600) for _ in range(2))
    here.begin(key)
    there.begin(key)
    here.flush()
    there.flush()
    here.flush()
    for usage in (here, there):
        with pytest.raises(TunesmithError, match="S51") as refused:
            usage.begin(key)
        assert refused.value.problems[0].values["hours"] == "12:00"
    now[0] += 86_400
    here.flush()
    here.begin(key)
    here.add(key, Spent(3, 4))
    here.close()
    there.close()
    assert store.usage("2026-11-26")[key.id].requests == 2
    assert store.usage("2026-11-27")[key.id] == Used(requests=1, prompt_tokens=3, new_tokens=4)
