"""From a model folder to what serves it, computed in a process of its own: no tensors are loaded here."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tunesmith.models import language
from tunesmith.models import tokenizer as tokenizers
from tunesmith.serve.admission import Limits
from tunesmith.serve.names import ANYHOW, Computing
from tunesmith.serve.served import (
    AnswerDeployment,
    ClassifyDeployment,
    Deployment,
    EmbedDeployment,
    RewriteDeployment,
    ScoreDeployment,
    TagDeployment,
    TextDeployment,
)
from tunesmith.serve.worker.channel import Message
from tunesmith.serve.worker.predictor import WorkerPredictor
from tunesmith.serve.worker.process import Process
from tunesmith.serve.worker.worker_engine import WorkerEngine

_KINDS: dict[str, tuple[type[Any], tuple[str, ...]]] = {
    "classify": (ClassifyDeployment, ("labels", "several")),
    "embed": (EmbedDeployment, ("width", "context")),
    "score": (ScoreDeployment, ()),
    "tag": (TagDeployment, ("labels",)),
    "answer": (AnswerDeployment, ()),
    "translate": (RewriteDeployment, ("task",)),
    "summarise": (RewriteDeployment, ("task",)),
}


def deploy_apart(
    folder: Path,
    *,
    name: str,
    aliases: Sequence[str] = (),
    limits: Limits | None = None,
    computing: Computing = ANYHOW,
) -> Deployment:
    """Start a process for the model in a folder. It answers to `name` and to `aliases`.

    `computing` is of a language model.

    Raises:
        ModelError: what loading the model raises, and M14 for a model without a route.
        TunesmithError: S49 when the process ends before the model is ready.
    """
    limits = limits or Limits()
    process = Process(wishes(folder, name, limits, computing))
    names = {"name": name, "aliases": tuple(aliases), "created": int(time.time())}
    try:
        return _deployed(process, folder, limits, names)
    except BaseException:
        process.close()
        raise


def wishes(folder: Path, name: str, limits: Limits, computing: Computing) -> Message:
    """What a process is told: the model of a folder, and how it is computed."""
    return {
        "name": name,
        "folder": str(folder),
        "limits": {name: getattr(limits, name) for name in ("batch", "running_size", "deadline_s")},
        "computing": asdict(computing),
    }


def _deployed(process: Process, folder: Path, limits: Limits, names: dict[str, Any]) -> Deployment:
    """What a process serves, as soon as it is ready."""
    with ThreadPoolExecutor(1) as beside:
        tokenizer = beside.submit(tokenizers.load, folder)  # of one without, nobody asks
        facts = process.facts()
    names |= {"tokenizer": tokenizer.result() if facts["has_tokenizer"] else None}
    if facts["task"] != "generate":
        return _predictor(process, facts, limits, names)
    worker = WorkerEngine(process, limits)
    process.listen(worker)
    return TextDeployment(
        contract=language.contract_of(folder, names["tokenizer"]),
        context=facts["context"],
        vocabulary=facts["vocabulary"],
        engine=worker,
        computed=facts["computed"],
        instead=facts["instead"],
        **names,
    )


def _predictor(process: Process, facts: Message, limits: Limits, names: dict[str, Any]) -> Deployment:
    """A model that answers each item at once."""
    kind, told = _KINDS[facts["task"]]
    engine = WorkerPredictor(process, facts["task"], limits)
    process.listen(engine)
    known = {key: tuple(facts[key]) if key == "labels" else facts[key] for key in told}
    made: Deployment = kind(engine=engine, **known, **names)
    return made
