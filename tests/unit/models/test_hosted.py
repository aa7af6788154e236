"""Hosted models: asked once for the same, tried again, within a budget, and never with a key on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hosts.host import Host, failed, running, said

from tunesmith.core.errors import MissingError, ModelError, NotFoundError, UsageError
from tunesmith.core.workspace import Workspace
from tunesmith.models import endpoint as endpoints
from tunesmith.models.endpoint import Endpoint, Spent
from tunesmith.models.hosted import NO_ANSWER, HostedModel, named
from tunesmith.models.resolve import resolve


@pytest.fixture
def host() -> Iterator[Host]:
    with running() as made:
        yield made


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w")


def kept(host: Host, workspace: Workspace, **more: object) -> HostedModel:
    """The host's model as a name finds it, without waiting between tries."""
    endpoints.add(Endpoint(name="far", url=host.url, model="m-1", **more), workspace)  # type: ignore[arg-type]
    found = resolve("hosted:far", workspace).hosted
    if found is None:
        pytest.fail("a hosted model is found by its name")
    return replace(found, pause=lambda seconds: None)


def code(error: pytest.ExceptionInfo[ModelError] | pytest.ExceptionInfo[UsageError]) -> str:
    return error.value.problems[0].code


def test_a_conversation_is_sent_as_the_api_wants_it(
    host: Host, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAR_KEY", "sk-secret")
    host.replies = [said("你好")]
    model = kept(host, workspace, key="FAR_KEY")
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}]
    assert model.chat(turns, max_new_tokens=9, seed=3) == "你好"
    expected = {"model": "m-1", "messages": turns, "temperature": 0.0, "max_tokens": 9, "seed": 3}
    assert host.asked == [{"path": "/v1/chat/completions", **expected}]
    assert host.keys == ["Bearer sk-secret"]
    assert not [
        path for path in workspace.root.rglob("*") if path.is_file() and b"sk-secret" in path.read_bytes()
    ]


def test_the_same_is_asked_once_unless_chance_is_wanted(host: Host, workspace: Workspace) -> None:
    host.replies = [said("one"), said("two"), said("three"), said("four")]
    model = kept(host, workspace)
    assert [model.chat("a"), model.chat("a"), model.chat("b")] == ["one", "one", "two"]
    assert [model.chat("a", temperature=1.0), model.chat("a", temperature=1.0)] == ["three", "four"]
    assert endpoints.spent(model.endpoint, workspace) == Spent(requests=4, tokens=28)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_fails_for_the_moment_is_tried_again(host: Host, workspace: Workspace, status: int) -> None:
    waited: list[float] = []
    host.replies = [failed(status, "later"), failed(status, "later", Retry_After="7"), said("done")]
    model = replace(kept(host, workspace), pause=waited.append)
    assert model.chat("a") == "done"
    assert waited == [1.0, 7.0]


def test_a_host_that_never_answers_is_given_up(host: Host, workspace: Workspace) -> None:
    host.replies = [failed(503, "overloaded")] * 5
    with pytest.raises(MissingError) as error:
        kept(host, workspace).chat("a")
    assert code(error) == "M65"
    assert error.value.problems[0].values["reason"] == "503 overloaded"
    assert host.replies == []
    nowhere = Endpoint(name="far", url="http://127.0.0.1:9/v1", model="m")
    with pytest.raises(MissingError):
        replace(kept(host, workspace), endpoint=nowhere).chat("a")


@pytest.mark.parametrize(
    "reply",
    [
        failed(401, "bad key"),
        (200, {}, b"<html>"),
        (200, {}, {"choices": []}),
        (302, {"Location": "http://x"}, b""),
        (200, {}, {"choices": [{"message": {"content": None}}]}),
        (200, {}, [1]),
    ],
)
def test_a_refusal_is_told_and_not_repeated(host: Host, workspace: Workspace, reply: object) -> None:
    host.replies = [reply]  # type: ignore[list-item]
    with pytest.raises(ModelError) as error:
        kept(host, workspace).chat("a")
    assert code(error) == "M66"
    assert len(host.asked) == 1


def test_a_budget_ends_asking_but_not_what_is_known(host: Host, workspace: Workspace) -> None:
    host.replies = [said("one"), said("two")]
    model = kept(host, workspace, requests=2)
    model.chat("a")
    model.chat("b")
    with pytest.raises(ModelError) as error:
        model.chat("c")
    assert code(error) == "M67"
    assert model.chat("a") == "one"
    host.replies = [said("x", tokens=100)]
    model = kept(host, workspace, tokens=100)  # added again: nothing is spent yet
    model.chat("d")
    with pytest.raises(ModelError):
        model.chat("e")


def test_a_key_that_is_not_there_is_missed_before_anything_is_sent(host: Host, workspace: Workspace) -> None:
    with pytest.raises(UsageError) as error:
        kept(host, workspace, key="NO_SUCH_KEY_HERE").chat("a")
    assert code(error) == "M63"
    assert host.asked == []


def test_settings_that_no_host_has_are_refused(host: Host, workspace: Workspace) -> None:
    with pytest.raises(UsageError) as error:
        kept(host, workspace).chat("a", beams=3)
    assert code(error) == "M68"


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("../x", "https://a/v1"), ("A", "https://a/v1"), ("a", "http://example.org/v1"), ("a", "file:///etc"),
        ("a", "https://"), ("a", "https://key@host/v1"), ("a", "https://host/v1?key=1"),
    ],
)  # fmt: skip
def test_names_and_addresses_that_are_unsafe_are_refused(workspace: Workspace, name: str, url: str) -> None:
    with pytest.raises(UsageError) as error:
        endpoints.add(Endpoint(name=name, url=url, model="m"), workspace)
    assert code(error) == "M64"
    assert not workspace.root.exists()


def test_an_endpoint_is_found_until_it_is_removed(workspace: Workspace) -> None:
    made = Endpoint(name="far", url="https://host/v1", model="m", key="KEY")
    endpoints.add(made, workspace)
    endpoints.spend(made, workspace, tokens=5)
    assert endpoints.every(workspace) == [made] == [endpoints.find("hosted:far", workspace)]
    endpoints.remove("hosted:far", workspace)
    with pytest.raises(NotFoundError):
        endpoints.find("far", workspace)
    endpoints.add(made, workspace)
    assert endpoints.spent(made, workspace) == Spent()


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("refund", "refund"), (" Refund. ", "refund"), ("The label is: refund_status", "refund_status"),
        ("refund or delivery", NO_ANSWER), ("", NO_ANSWER), ("“退款”", "退款"), ("标签：退款。", "退款"),
    ],
)  # fmt: skip
def test_the_label_an_answer_names(answer: str, label: str) -> None:
    assert named(answer, ("refund", "refund_status", "delivery", "退款")) == label
