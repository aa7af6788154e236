"""From a model folder to what serves it, computed by vLLM."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from tunesmith.core.errors import UsageError
from tunesmith.models import card, language
from tunesmith.models import tokenizer as tokenizers
from tunesmith.models.json_file import read_json
from tunesmith.serve.admission import Limits
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.vllm.engine import VllmEngine
from tunesmith.serve.vllm.process import VllmProcess

# vLLM batches what fits into the memory of its device; how many that are is its own affair.
_LIMITS = Limits(batch=256, queue_requests=512)


def covers(folder: Path) -> bool:
    """Whether it is a language model; others are computed as always."""
    return card.read(folder).kind == "language"


def deploy_vllm(
    folder: Path, *, name: str, aliases: Sequence[str] = (), limits: Limits = _LIMITS
) -> TextDeployment:
    """Start vLLM for the language model in a folder. It answers to `name` and to `aliases`.

    Raises:
        MissingError: S55 when vLLM is not found.
        UsageError: S54 for an adapter, and for a model of one's own class.
        TunesmithError: S56 when it ends before it is ready.
    """
    found = card.read(folder)
    if found.code or (folder / "adapter_config.json").exists():
        raise UsageError("S54", what=str(folder))
    tokenizer = tokenizers.load(folder)
    contract = language.contract_of(folder, tokenizer)
    context = contract.context or found.context
    process = VllmProcess(folder, context)
    process.wait()
    return TextDeployment(
        name=name,
        aliases=tuple(aliases),
        created=int(time.time()),
        tokenizer=tokenizer,
        contract=contract,
        context=context,
        vocabulary=_vocabulary(folder),
        engine=VllmEngine(process, limits),
        computed="vllm",
    )


def _vocabulary(folder: Path) -> int:
    said = read_json(folder / "config.json")
    return int((said.get("text_config") or said)["vocab_size"])
