"""Live data: cursors that mean the same after a restart, `reset`, and an end when the server ends."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tunesmith.core.errors import TunesmithError
from tunesmith.core.events import Saved, Step
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.serve.server import serving
from tunesmith.studio.app import StudioExtension
from tunesmith.studio.events import cursors
from tunesmith.studio.events.seats import Seats
from tunesmith.studio.events.topics import RunTopic
from tunesmith.studio.state import Studio


def step(number: int) -> Step:
    return Step(
        step=number, steps=9, epoch=0.1, loss=1.0, learning_rate=0.1, grad_norm=1.0, tokens=1, seconds=1.0
    )


@pytest.fixture
def run(studio: Studio, request: pytest.FixtureRequest) -> RunFolder:
    found = RunFolder(studio.workspace.runs / f"run-{abs(hash(request.node.name)) % 10**6}")
    found.path.mkdir(parents=True, exist_ok=True)
    found.recipe.write_text("x", "utf-8")
    found.events.append(step(1))
    return found


class Reader:
    """The messages of a stream: (event, id, data)."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.iter_lines()

    def __iter__(self) -> Iterator[tuple[str, str, Any]]:
        event, identity, data = "message", "", None
        for line in self._lines:
            name, _, value = line.partition(": ")
            if name == "event":
                event = value
            elif name == "id":
                identity = value
            elif name == "data":
                data = json.loads(value)
            elif not line and data is not None:
                yield event, identity, data
                event, data = "message", None

    def next(self) -> tuple[str, str, Any]:
        return next(iter(self))


@contextmanager
def stream(client: httpx.Client, topics: str, cursor: str = "") -> Iterator[Reader]:
    with client.stream("GET", "/api/events", params={"topics": topics, "cursor": cursor}, timeout=20) as got:
        assert got.status_code == 200
        assert got.headers["content-type"].startswith("text/event-stream")
        yield Reader(got)


def test_a_reader_that_comes_back_gets_what_it_missed_once(admin: httpx.Client, run: RunFolder) -> None:
    topic = f"run:{run.id}"
    with stream(admin, topic) as reader:
        _, cursor, begun = reader.next()
        assert begun["begun"]
        run.events.append(step(2))
        run.events.append(step(3))
        _, cursor, news = reader.next()
        told = [event["step"] for event in news["events"]]
    if told == [2]:
        assert cursor
    run.events.append(step(4))
    with stream(admin, topic, cursor) as reader:
        _, _, news = reader.next()
        told += [event["step"] for event in news["events"]]
    assert told == [2, 3, 4]


def test_a_line_that_is_half_written_waits_for_its_end(run: RunFolder) -> None:
    topic = RunTopic(run)
    place = topic.now()
    with run.events.path.open("ab") as file:
        file.write(b'{"event": "Sa')
    assert topic.now() == place
    news = topic.after(place, "en")
    assert news is not None
    assert news.content is None
    with run.events.path.open("ab") as file:
        file.write(b'ved"}\n')
    news = topic.after(place, "en")
    assert news is not None
    assert news.content == {"events": [{"event": "Saved"}]}


def test_a_run_that_went_back_to_a_checkpoint_is_read_anew(admin: httpx.Client, run: RunFolder) -> None:
    topic = f"run:{run.id}"
    place = RunTopic(run).now()
    run.events.append(Saved(step=1, path="x"))
    run.events.rewind(0, "")
    with stream(admin, topic, cursors.written({topic: place})) as reader:
        event, cursor, _ = reader.next()
    assert event == "reset"
    assert cursors.read(cursor) == {topic: RunTopic(run).now()}


def test_jobs_are_told_of_and_cursors_outlive_the_server(studio: Studio, admin: httpx.Client) -> None:
    with stream(admin, "jobs,deployments") as reader:
        begun = [reader.next() for _ in range(2)]
        assert {data["topic"] for _, _, data in begun} == {"jobs", "deployments"}
        job = studio.store.add_job("resume", "told", {"wishes": {"run": "x"}})
        _, cursor, news = reader.next()
        assert news["jobs"][0]["title"] == "told"
    studio.store.change_job(job.id, of=("queued", "running", "failed"), subject="later")
    again = Studio.over(studio.workspace)
    with serving(again.served, extension=StudioExtension(again)) as url:
        headers = {"Authorization": f"Bearer {studio.store.create_key('k', ['studio:viewer'])[1]}"}
        with httpx.Client(base_url=url, headers=headers) as client, stream(client, "jobs", cursor) as reader:
            event, _, news = reader.next()
    assert event == "message"
    assert any(job["subject"] == "later" for job in news["jobs"])


def test_a_cursor_from_nowhere_is_told_to_begin_anew(admin: httpx.Client) -> None:
    for cursor in ("jobs=999999", "jobs=x", "jobs=-1"):
        with stream(admin, "jobs", cursor) as reader:
            assert reader.next()[0] == "reset"


def test_topics_that_do_not_exist_are_refused(admin: httpx.Client) -> None:
    assert admin.get("/api/events", params={"topics": "secrets"}).status_code == 400
    assert admin.get("/api/events", params={"topics": "run:nothing"}).status_code == 404
    assert admin.get("/api/events", params={"topics": "run:../.."}).status_code == 404


def test_a_stream_ends_with_the_session_that_opened_it(studio: Studio, url: str) -> None:
    key, secret = studio.store.create_key("leaving", ["studio:viewer"])
    with httpx.Client(base_url=url, headers={"X-Tunesmith": "1", "Origin": url}) as browser:
        browser.post("/api/session", json={"token": secret}).raise_for_status()
        with stream(browser, "jobs") as reader:
            reader.next()
            studio.store.revoke_key(key)
            began = time.monotonic()
            list(reader)
    assert time.monotonic() - began < 10


def test_a_session_has_no_more_streams_than_seats_and_a_closed_one_makes_room() -> None:
    seats = Seats(of_one=1, in_all=2)

    async def parts() -> AsyncIterator[str]:
        yield "a"
        yield "b"

    async def read() -> list[int]:
        open_ = [seats.seated(who, parts()) for who in ("one", "two")]
        assert [await anext(stream) for stream in open_] == ["a", "a"]
        assert [part async for part in seats.seated("one", parts())] == []
        for who in ("one", "three"):
            with pytest.raises(TunesmithError, match="W28"):
                seats.require(who)
        await open_[0].aclose()
        seats.require("three")
        return [len([part async for part in seats.seated(who, parts())]) for who in ("one", "three")]

    assert asyncio.run(read()) == [2, 2]


def test_streams_end_with_the_server(tmp_path: Path) -> None:
    studio = Studio.over(Workspace(tmp_path / "w"))
    ended: list[float] = []

    def follow(url: str) -> None:
        with httpx.Client(base_url=url) as client:
            client.get(f"/?token={studio.token}")
            with stream(client, "jobs") as reader:
                reader.next()
                ready.release()
                assert not list(reader)
        ended.append(time.monotonic())

    ready = threading.Semaphore(0)
    with serving(studio.served, extension=StudioExtension(studio)) as url:
        threads = [threading.Thread(target=follow, args=(url,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert ready.acquire(timeout=20)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    for thread in threads:
        thread.join(5)
    assert len(ended) == 5


def test_a_torn_line_ends_no_stream(run: RunFolder) -> None:
    topic = RunTopic(run)
    place = topic.now()
    with run.events.path.open("a", encoding="utf-8") as file:
        file.write('{"event": "Ste\n')
    run.events.append(step(2))
    news = topic.after(place, "en")
    assert news is not None
    assert news.content is not None
    assert [event["step"] for event in news.content["events"]] == [2]
