"""Adapters over one copy of their base, in one process and over HTTP: each is a model of its own."""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from tunesmith.core.errors import ModelError, TunesmithError
from tunesmith.models import adapters
from tunesmith.models import tokenizer as tokenizing
from tunesmith.models.card import Base, Card
from tunesmith.models.language import LanguageModel, contract_of
from tunesmith.models.loading import load
from tunesmith.models.resolve import Resolved, weights_digest
from tunesmith.models.sampling import Sampling
from tunesmith.serve.admission import Limits
from tunesmith.serve.deployments import Deployments
from tunesmith.serve.engine import Prompt
from tunesmith.serve.names import Computing as Wished
from tunesmith.serve.server import serving
from tunesmith.serve.worker.adapters import Adapters
from tunesmith.serve.worker.channel import Channel, Message
from tunesmith.serve.worker.codec import prompt_out
from tunesmith.serve.worker.computing import Computing
from tunesmith.serve.worker.deployment import wishes
from tunesmith.serve.worker.shared import SharedBase

ASKED = {"prompt": "Once upon a time", "max_tokens": 16, "temperature": 0}


def written(folder: Path, base: Path, seed: int, digest: str) -> Path:
    """An adapter of the base, as training leaves it."""
    module = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    adapters.add(module, rank=4, alpha=8)
    torch.manual_seed(seed)
    for name, parameter in module.named_parameters():
        if "lora_" in name:
            nn.init.normal_(parameter, std=0.1)
    folder.mkdir()
    adapters.save(module, folder, base=str(base), task_type="CAUSAL_LM")
    tokens = tokenizing.load(base)
    tokens.save(str(folder / tokenizing.FILE))
    contract_of(base, tokens).save(folder)
    stated = Base(name="stories", folder=str(base), weights=digest)
    Card(kind="language", context=512, base=stated).save(folder)
    return folder


class Served:
    """A base, two adapters of it and one of another base; the process of the first three, and a server."""

    def __init__(self, base: Path, tmp: Path, held: ExitStack) -> None:
        digest = weights_digest(base)
        self.folders = {name: written(tmp / name, base, n, digest) for n, name in enumerate(("ann", "bob"))}
        self.strange = written(tmp / "strange", base, 9, "0" * 64)
        self.base = SharedBase(base, name="stories", computing=Wished(engine="torch"))
        self.deployments = Deployments([self.base.deploy(base, name="stories", aliases=["teller"])])
        held.callback(self.deployments.close)
        for name, folder in self.folders.items():
            self.deployments.add(self.base.deploy(folder, name=name))
        self.url = held.enter_context(serving(self.deployments))

    def says(self, name: str) -> str:
        answer = httpx.post(f"{self.url}/v1/completions", json={"model": name, **ASKED}, timeout=60)
        said: str = answer.raise_for_status().json()["choices"][0]["text"]
        return said


@pytest.fixture(scope="module")
def served(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with ExitStack() as held:
        yield Served(shared_data / "weights" / "stories260K-hf", tmp_path_factory.mktemp("served"), held)


def alone(folder: Path) -> str:
    """What the model says into which the adapter is folded."""
    model = load(Resolved(name="alone", folder=folder))
    assert isinstance(model, LanguageModel)
    return model.generate("Once upon a time", max_new_tokens=16, temperature=0.0)


def test_each_name_answers_as_its_merged_model_would(served: Served) -> None:
    expected = {"stories": alone(served.base.folder)} | {n: alone(f) for n, f in served.folders.items()}
    assert len(set(expected.values())) == 3
    for _ in range(2):  # the second time, beginnings are remembered
        assert {name: served.says(name) for name in expected} == expected
    assert served.says("teller") == expected["stories"]


def test_all_are_listed_and_other_names_are_unknown(served: Served) -> None:
    listed = httpx.get(f"{served.url}/v1/models").json()["data"]
    assert [model["id"] for model in listed] == ["stories", "ann", "bob"]
    assert httpx.get(f"{served.url}/v1/models/bob").status_code == 200
    missing = httpx.post(f"{served.url}/v1/completions", json={"model": "eve", **ASKED})
    assert (missing.status_code, missing.json()["error"]["param"]) == (404, "model")


def test_an_adapter_of_another_base_is_refused_and_nothing_else_suffers(served: Served) -> None:
    with pytest.raises(ModelError, match="S62"):
        served.base.deploy(served.strange, name="strange")
    assert served.says("ann") == alone(served.folders["ann"])


def test_one_that_leaves_is_gone_and_the_others_go_on(served: Served) -> None:
    served.deployments.add(served.base.deploy(served.folders["bob"], name="carl"))
    expected = served.says("carl")
    gone = served.deployments.named("carl")
    served.deployments.remove("carl")
    gone.engine.close()
    assert not served.base.closed
    assert served.says("bob") == expected


class Played:
    """The inside of a process, told messages here; `told` is what it has said."""

    def __init__(self, base: Path) -> None:
        self._pipe = io.BytesIO()
        wished = wishes(base, "stories", Limits(), Wished(engine="torch"))
        self._computing = Computing(wished, Channel(io.BytesIO(), self._pipe))

    def play(self, *messages: Message, until: int) -> list[list[Any]]:
        """Tell messages one after the other; the items said until there are so many."""

        async def play() -> None:
            self._computing._loop = asyncio.get_running_loop()
            for message in messages:
                self._computing._soon(message)
            while len(self.items()) < until:
                await asyncio.sleep(0.01)

        asyncio.run(asyncio.wait_for(play(), 60))
        self._computing._deployment.engine.close()
        return self.items()

    def items(self) -> list[list[Any]]:
        told = iter(Channel(io.BytesIO(self._pipe.getvalue()), io.BytesIO()).receive, None)
        return [item for message in told if message["is"] == "items" for item in message["items"]]


def begin(number: int, adapter: str | None, tokens: int = 1) -> Message:
    prompt = Prompt([1, 5], Sampling(max_new_tokens=tokens), adapter=adapter)
    return {"do": "begin", "id": number, "prompt": prompt_out(prompt)}


def test_an_adapter_can_be_asked_for_by_what_is_said_next(served: Served) -> None:
    # As after a death of the process: the adapters, and at once who waits for them.
    adopt = {"do": "adopt", "adapter": "ann", "folder": str(served.folders["ann"])}
    stop = {"do": "stop", "id": 8, "adapter": "ann"}
    given = (adopt, begin(8, "ann", 400), begin(7, "ann"), stop)
    said = Played(served.base.folder).play(*given, until=1)
    assert (7, "t") in {(number, kind) for number, kind, *_ in said}
    assert len([number for number, *_ in said if number == 8]) < 400


def test_others_are_served_while_the_files_of_an_adapter_are_read(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, answered = Adapters.read, threading.Event()

    def slow(self: Adapters, name: str, folder: Path) -> None:
        assert answered.wait(30)
        read(self, name, folder)

    def telling(self: Computing) -> None:
        tell(self)
        answered.set()

    tell = Computing._tell_items
    monkeypatch.setattr(Adapters, "read", slow)
    monkeypatch.setattr(Computing, "_tell_items", telling)
    adopt = {"do": "adopt", "adapter": "ann", "folder": str(served.folders["ann"])}
    said = Played(served.base.folder).play(adopt, begin(7, "ann"), begin(8, None), until=2)
    assert [(number, kind) for number, kind, *_ in said] == [(8, "t"), (7, "t")]


def test_an_adapter_that_is_refused_leaves_nothing_behind(served: Served, tmp_path: Path) -> None:
    folder = shutil.copytree(served.folders["ann"], tmp_path / "odd")
    (folder / "adapter_model.safetensors").write_bytes(b"no weights")
    computing = Played(served.base.folder)._computing
    with pytest.raises(ModelError, match="M21"):
        computing._adapters.read("odd", folder)
    computing._deployment.engine.close()
    assert computing._adapters.tokenizers == {}


@pytest.mark.faults
def test_adapters_come_back_after_their_process_died(served: Served) -> None:
    ann = served.deployments.named("ann").engine
    os.kill(served.base.pid, signal.SIGKILL)
    seen(lambda: not ann.stats().healthy)
    with pytest.raises(TunesmithError, match="S48"):  # at once: nobody is there to read it
        served.base.deploy(served.folders["ann"], name="carl")
    seen(lambda: ann.stats().healthy)
    assert served.says("ann") == alone(served.folders["ann"])


def seen(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
