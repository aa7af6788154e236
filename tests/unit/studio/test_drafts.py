"""Drafts: everybody has his own, and an end to their number."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from tunesmith.studio import drafts


def test_a_draft_is_its_writers_alone_and_there_is_an_end_to_them(
    sign_in: Callable[[str], httpx.Client],
) -> None:
    mine, other = sign_in("annotator"), sign_in("engineer")
    for number in range(drafts.MOST):
        mine.put(f"/api/drafts/d{number}", json={"content": {"n": number}}).raise_for_status()
    assert other.get("/api/drafts/d1").json() == {"content": None}
    assert mine.put("/api/drafts/d1", json={"content": {"n": "x"}}).json() == {"content": {"n": "x"}}
    refused = mine.put("/api/drafts/more", json={"content": {}})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "too_many_drafts")
    assert "DELETE /api/drafts/{id}" in refused.json()["error"]["message"]
    assert mine.delete("/api/drafts/d0").json() == {"content": None}
    assert mine.put("/api/drafts/more", json={"content": {}}).status_code == 200
    assert mine.get("/api/drafts/d1").json()["content"] == {"n": "x"}
    long = {"content": {"n": "x" * drafts.MAX_DRAFT}}
    assert mine.put("/api/drafts/d1", json=long).status_code == 413
