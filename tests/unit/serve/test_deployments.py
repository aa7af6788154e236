"""Models take each other's place while they serve: no request fails, none gets a mixture."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Any

import httpx
import numpy as np
import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.serve.deployment import deploy
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.following import Follower, Source
from tunesmith.serve.served import Deployment
from tunesmith.serve.server import serving


class Versioned:
    """A classifier that answers with its version, not at once."""

    def __init__(self, version: int) -> None:
        self.name = f"m@{version}"
        self.labels = (str(version), "other")

    def predict(self, texts: Sequence[str]) -> np.ndarray:
        time.sleep(0.002)
        return np.tile([0.9, 0.1], (len(texts), 1))


def version(number: int) -> Deployment:
    return deploy(Versioned(number), aliases=["m"])


@pytest.fixture
def served() -> Iterator[Deployments]:
    made = Deployments([version(0)])
    yield made
    made.close()


def test_fifty_swaps_under_load_fail_no_request_and_mix_no_answer() -> None:
    served, done, said = Deployments([version(0)]), threading.Event(), list[tuple[int, str, str]]()

    def ask() -> None:
        with httpx.Client(base_url=url) as http:
            while not done.is_set():
                answer = http.post("/v1/classify", json={"model": "m", "input": ["a", "b"]})
                body = answer.json()
                labels = {row["label"] for row in body.get("data", [])}
                said.append((answer.status_code, body.get("model", ""), "m@" + "+".join(sorted(labels))))

    with serving(served) as url:
        clients = [threading.Thread(target=ask) for _ in range(3)]
        for client in clients:
            client.start()
        for number in range(1, 51):
            served.swap("m", version(number))
            time.sleep(0.02)
        done.set()
        for client in clients:
            client.join()
    assert {status for status, _, _ in said} == {200}
    assert all(name == answered for _, name, answered in said)
    assert len({name for _, name, _ in said}) > 10


def test_a_replaced_model_is_closed_when_it_has_ended_what_it_began(
    served: Deployments, monkeypatch: pytest.MonkeyPatch, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    monkeypatch.setattr("tunesmith.serve.deployments._GRACE_S", 0.0)
    old = served.named("m")
    served.swap("m", version(1))
    assert [deployment.name for deployment in served] == ["m@1"]
    assert "m@0" not in served
    eventually(lambda: not old.engine.stats().healthy)


def test_a_canary_takes_its_share_and_can_be_asked_by_name(served: Deployments) -> None:
    served.add(deploy(Versioned(1), aliases=["m@candidate"]))
    served.share("m", "m@candidate", 0.3)
    found = [served.find("m").name for _ in range(2000)]
    assert found.count("m@1") / 2000 == pytest.approx(0.3, abs=0.06)
    assert served.find("m@candidate").name == "m@1"
    served.remove("m@candidate")
    assert {served.find("m").name for _ in range(50)} == {"m@0"}


def test_two_that_lead_to_one_release_are_taken_out_by_their_own_names(served: Deployments) -> None:
    served.add(deploy(Versioned(0), aliases=["m@staging"]))
    first, second = served.named("m"), served.named("m@staging")
    assert served.named("m@0") is first
    served.swap("m", version(1))
    assert served.named("m@0") is second
    served.remove("m@staging")
    assert [deployment.name for deployment in served] == ["m@1"]


def test_a_share_ends_with_its_model_and_is_of_the_same_task(served: Deployments) -> None:
    served.add(deploy(Versioned(1), aliases=["m@candidate"]))
    served.share("m", "m@candidate", 1.0)
    served.remove("m")
    served.add(version(0))
    assert served.find("m").name == "m@0"
    made: Any = version(2)
    kind = type("Scoring", (type(made),), {"task": "score"})
    served.add(kind(**{one.name: getattr(made, one.name) for one in fields(made) if one.init}
                    | {"name": "scorer", "aliases": ()}))  # fmt: skip
    with pytest.raises(TunesmithError, match="S08"):
        served.share("m", "scorer", 0.5)


def test_a_shadow_that_is_taken_out_is_asked_no_more(served: Deployments) -> None:
    served.add(deploy(Versioned(1), aliases=["m@candidate"]))
    served.shadow("m", "m@candidate", 1.0)
    assert served.shadow_of("m") == ("m@candidate", 1.0)
    served.remove("m@candidate")
    assert not served.has_shadows


def test_a_name_that_is_taken_is_refused_and_changes_nothing(served: Deployments) -> None:
    served.add(deploy(Versioned(1), aliases=["other"]))
    new = deploy(Versioned(2), aliases=["m", "other"])
    with pytest.raises(TunesmithError, match="S24"):
        served.swap("m", new)
    assert [served.find(name).name for name in ("m", "other")] == ["m@0", "m@1"]
    new.engine.close()


def test_a_release_that_may_not_take_over_is_closed(
    served: Deployments, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    served.add(deploy(Versioned(1), aliases=["other"]))
    new = deploy(Versioned(2), aliases=["m", "other"])
    with Follower(served, [Source(label="m", version=lambda: "m@2", load=lambda: new)], every_s=0.005):
        eventually(lambda: not new.engine.stats().healthy)
    assert served.find("m").name == "m@0"


def test_a_release_that_was_refused_is_tried_again(
    served: Deployments, eventually: Callable[[Callable[[], bool]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.serve.following._PAUSES_S", (0.05,))
    refused = list[object]()

    def load() -> Deployment:
        refused.append(served.refused.get("m"))
        if len(refused) < 3:
            raise RuntimeError("the machine is busy")
        return version(1)

    with Follower(served, [Source(label="m", version=lambda: "m@1", load=load)], every_s=0.005):
        eventually(lambda: served.find("m").name == "m@1")
        eventually(lambda: not served.refused)
    assert refused == [None, ("m@1", 1), ("m@1", 2)]


def test_where_an_alias_moves_the_server_follows_and_a_broken_release_never_serves(
    served: Deployments, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    points, tried = [0], list[int]()

    def load() -> Deployment:
        tried.append(points[0])
        if points[0] == 1:
            raise RuntimeError("a broken release")
        return version(points[0])

    source = Source(label="m", version=lambda: f"m@{points[0]}", load=load)
    with Follower(served, [source], every_s=0.005):
        points[0] = 1
        eventually(lambda: tried == [1])
        time.sleep(0.05)
        assert (tried, served.find("m").name) == ([1], "m@0")
        points[0] = 0
        time.sleep(0.05)
        points[0] = 1  # pointed to once more, it is tried once more
        eventually(lambda: tried == [1, 1])
        points[0] = 2
        eventually(lambda: served.find("m").name == "m@2")
        points[0] = 0
        eventually(lambda: served.find("m").name == "m@0")
