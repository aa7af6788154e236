"""What is learned, and who learns it: for each work its contestants, each a script with its job."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainers.job import Job

OURS = "tunesmith"
_ROWS = 24
_LORA = {"name": "lora", "rank": 16, "alpha": 32}
_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_LAST = 8
LANGUAGE_PEERS = ("trl", "trl_packing", "trainer", "trainer_flattening")
CLASSIFIER_PEERS = ("trainer", "trainer_sorted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A script of this folder and its job; a peer runs in the peers' environment."""

    script: str
    job: Job
    is_peer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Contestants by name; `tolerance` is how far their first losses may lie apart.

    `weight` is by how many operations a parameter of a layer, and of the head, is passed for one token.
    """

    contestants: Mapping[str, Contestant]
    tolerance: float = 0.01
    weight: int = 6

    @property
    def ours(self) -> Job:
        return self.contestants[OURS].job

    def among(self, peers: Sequence[str] | None, epochs: int | None) -> Work:
        """Ours and some of the others, for another number of epochs."""
        chosen = {
            name: replace(c, job=replace(c.job, epochs=epochs or c.job.epochs))
            for name, c in self.contestants.items()
            if peers is None or name in (OURS, *peers)
        }
        return replace(self, contestants=chosen)

    def with_tokens(self, tokens: int) -> Work:
        """Ours compute so many tokens at once."""
        chosen = {name: c if c.is_peer else _with_tokens(c, tokens) for name, c in self.contestants.items()}
        return replace(self, contestants=chosen)

    def seeded(self, seed: int) -> dict[str, Contestant]:
        """The same with a seed, on which the order of rows depends where it is not given."""
        return {name: replace(c, job=replace(c.job, seed=seed)) for name, c in self.contestants.items()}

    def first_step(self) -> dict[str, Contestant]:
        """The same with one step over the first rows: all see the same rows, whatever their order is."""
        return {name: _one_step(contestant) for name, contestant in self.contestants.items()}


def _with_tokens(contestant: Contestant, tokens: int) -> Contestant:
    options = contestant.job.options
    train = options.get("train", {}) | {"micro_batch_tokens": tokens}
    return replace(contestant, job=replace(contestant.job, options={**options, "train": train}))


def _one_step(contestant: Contestant) -> Contestant:
    job = contestant.job
    options = job.options | {"validated": False}
    if "steps" in options:
        return replace(contestant, job=replace(job, options=options | {"steps": 1}))
    packs = {"packs": job.batch_size}
    return replace(contestant, job=replace(job, count=job.batch_size, epochs=1, options=options | packs))


def _language(folder: Path, method: str) -> dict[str, Contestant]:
    rate = 2e-4 if method == "lora" else 2e-5
    job = _job(folder, "chat", method=method, rate=rate)
    peers = {
        name: Contestant(script="peer_language.py", job=replace(job, options={"peer": name}), is_peer=True)
        for name in LANGUAGE_PEERS
    }
    return {OURS: _our(job), **peers}


def _lora(folder: Path, *, small: bool) -> Work:
    return Work(contestants=_language(folder, "lora"), weight=4)


def _full(folder: Path, *, small: bool) -> Work:
    return Work(contestants=_language(folder, "full"))


def _classify(folder: Path, *, small: bool) -> Work:
    job = Job(
        work="classify",
        model=str(folder / "encoder"),
        rows=str(folder / "classify.jsonl"),
        count=256,
        method="full",
        batch_size=32,
        rate=2e-5,
    )
    peers = {
        name: Contestant(script="peer_classifier.py", job=replace(job, options={"peer": name}), is_peer=True)
        for name in CLASSIFIER_PEERS
    }
    # Heads are drawn at random, so that first losses are near the logarithm of the number of labels only.
    return Work(contestants={OURS: _our(job, context=256), **peers}, tolerance=0.15)


def _shared_prefix(folder: Path, *, small: bool) -> Work:
    return Work(
        contestants={OURS: _our(_job(folder, "shared")), "unshared": _our(_job(folder, "unshared"))},
        weight=4,
    )


def _last_layers(folder: Path, *, small: bool) -> Work:
    layers = json.loads((folder / "decoder" / "config.json").read_text("utf-8"))["num_hidden_layers"]
    last = range(max(1, layers - _LAST), layers)
    targets = [f"layers.{i}.{_block(name)}.{name}" for i in last for name in _LINEAR]
    job = _job(folder, "chat")
    last_job = _our(job, train={"method": {**_LORA, "targets": targets}})
    return Work(contestants={OURS: last_job, "all_layers": _our(job)}, weight=4)


def _characters(folder: Path, *, small: bool) -> Work:
    """The character model of nanoGPT's README beside a plain loop over it."""
    settings = {
        "optimizer": {"name": "adamw", "lr": 1e-3, "weight_decay": 0.1, "betas": [0.9, 0.99]},
        "schedule": {"name": "cosine", "warmup": 0.05, "floor": 0.1},
    }
    job = Job(
        work="generate",
        model=str(folder / "characters"),
        rows=str(folder / "plays.jsonl"),
        count=1,
        method="full",
        batch_size=12,
        rate=1e-3,
        options={"steps": 20 if small else 2000, "context": 65, "validated": True, "train": settings},
    )
    plain = Contestant(script="plain_loop.py", job=job)
    # Blocks are drawn in other orders.
    return Work(contestants={OURS: replace(plain, script="ours.py"), "plain_loop": plain}, tolerance=0.05)


def _evaluation(folder: Path, *, small: bool) -> Work:
    """A model that knows both languages learns real conversations; what counts is its loss on others."""
    job = Job(
        work="chat",
        model=str(folder / "real"),
        rows=str(folder / "real.jsonl"),
        count=24 if small else 480,
        method="full",
        rate=5e-4,
        epochs=2,
        options={"validated": True},
    )
    peer = replace(job, options={**job.options, "peer": "trainer", "shuffled": True})
    ours = replace(job, options={**job.options, "train": {"precision": "float32"}})
    return Work(
        contestants={
            OURS: Contestant(script="ours.py", job=ours),
            "trainer": Contestant(script="peer_language.py", job=peer, is_peer=True),
        }
    )


def _block(name: str) -> str:
    return "self_attn" if name in _LINEAR[:4] else "mlp"


def _job(folder: Path, rows: str, **more: Any) -> Job:
    return Job(
        work="chat", model=str(folder / "decoder"), rows=str(folder / f"{rows}.jsonl"), count=_ROWS, **more
    )


def _our(job: Job, **options: Any) -> Contestant:
    return Contestant(script="ours.py", job=replace(job, options=options))


# Each is given the folder of its material, and whether it is `small`.
WORKS: Mapping[str, Callable[..., Work]] = {
    "lora": _lora,
    "full": _full,
    "classify": _classify,
    "shared_prefix": _shared_prefix,
    "last_layers": _last_layers,
    "characters": _characters,
    "evaluation": _evaluation,
}
