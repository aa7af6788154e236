"""Who serves: the command that starts it, the name of its model there, and what requests need besides."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainers import environment

from servers import llama_peer
from tunesmith.models.export.certificate import Precision

HERE = Path(__file__).resolve().parent
OURS = "tunesmith"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """`command` has a place for the `{port}`; `beside` is the one of ours that it is compared with.

    `health` is the address that says when it is ready. One that counts no tokens when it streams (`counts`)
    is taken to write as many as it is asked for.
    """

    command: tuple[str, ...]
    model: str
    task: str = "generate"
    extra: Mapping[str, Any] = field(default_factory=dict)
    beside: str = OURS
    health: str = "/health"
    counts: bool = True


LANGUAGE = (
    OURS,
    "native_bfloat16",
    "native_int8",
    "transformers",
    "transformers_batches",
    "llama_f16",
    "llama_q8_0",
    "llamafactory",
)
"""Who serves a decoder; those of llama.cpp have weights of as many bits as ours beside them."""
_DRAWN = {"temperature": 1.0}
"""Random weights repeat themselves greedily, and we guess repetitions: that lead is worth nothing."""
_BESIDE: dict[str, tuple[Precision, str]] = {
    "llama_f16": ("f16", "native_bfloat16"), "llama_q8_0": ("q8_0", "native_int8")
}  # fmt: skip


def language(
    model: Path, names: Sequence[str], peers: Callable[[], Path], bench: Path
) -> dict[str, Contestant]:
    """The contestants of these names; what a peer needs is made when it takes part."""
    return {name: _speaker(name, model, peers, bench) for name in names}


def _speaker(name: str, model: Path, peers: Callable[[], Path], bench: Path) -> Contestant:
    if name in _BESIDE:
        precision, beside = _BESIDE[name]
        return _llama(llama_peer.server(bench), llama_peer.gguf(model, precision), beside)
    if name.startswith("transformers"):
        return _transformers(peers(), model, in_batches=name.endswith("batches"))
    if name == "llamafactory":
        return _llamafactory(model, bench)
    weights = name.removeprefix("native_")
    wished = () if name == OURS else ("--engine", "native", "--weights", weights)
    return ours(model, "generate", *wished)


def _llama(program: Path, file: Path, beside: str) -> Contestant:
    """32 requests at a time, each with room for 512 tokens."""
    command = (str(program), "-m", str(file), "--host", "127.0.0.1", "--port", "{port}", "--threads",
               str(len(os.sched_getaffinity(0))), "--parallel", "32", "--ctx-size", "16384")  # fmt: skip
    return Contestant(command=command, model=file.stem, extra=_DRAWN | {"ignore_eos": True}, beside=beside)


def _transformers(python: Path, model: Path, *, in_batches: bool) -> Contestant:
    """One request after another, or in batches with no more cache than they need."""
    program = str(python.with_name("transformers"))
    command = (program, "serve", str(model), "--port", "{port}", "--device", "cpu")
    batches = ("--continuous-batching", "--cb-num-blocks", "512", "--cb-block-size", "32",
               "--cb-max-batch-tokens", "2048")  # fmt: skip
    whole = (*command, *batches) if in_batches else command
    return Contestant(command=whole, model=str(model), extra=_DRAWN)


def _llamafactory(model: Path, bench: Path) -> Contestant:
    """LLaMA-Factory's api by transformers, in the model's float32; it draws from all tokens, as others do."""
    packages = ("llamafactory==0.9.5", "torch===2.13.0")  # its torchaudio needs torch as it is built for CUDA
    python = environment.python(bench / "llamafactory-env", packages, torch=False)
    program = str(python.with_name("llamafactory-cli"))
    settings = ("env", "API_HOST=127.0.0.1", "API_PORT={port}", "CUDA_VISIBLE_DEVICES=")
    command = (*settings, program, "api", "--model_name_or_path", str(model),
               "--template", "chatml", "--top_k", "0", "--top_p", "1.0")  # fmt: skip
    return Contestant(command=command, model=model.name, extra=_DRAWN, health="/v1/models", counts=False)


def classification(kept: Path, theirs: Path, peers: Path | None) -> dict[str, Contestant]:
    """Ours, and a pipeline behind FastAPI."""
    found = {OURS: ours(kept, "classify")}
    if peers is not None:
        command = (str(peers), str(HERE / "pipeline_server.py"), str(theirs), "{port}")
        found["pipeline"] = Contestant(command=command, model="pipeline", task="classify")
    return found


def ours(model: Path, task: str, *wished: str) -> Contestant:
    """Our own server."""
    command = (sys.executable, "-m", "tunesmith", "serve", str(model), "--port", "{port}", *wished)
    return Contestant(
        command=command, model=model.name, task=task, extra=_DRAWN if task == "generate" else {}
    )
