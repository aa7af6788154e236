"""Adapters over one copy of their base, beside models into which they are folded, in process.

    python benchmarks/adapters.py [--engines torch native] [--rows 8] [--tokens 32] [--layers 4] [--rounds 3]

A decoder of the width of SmolLM2-135M with random weights in float32 and three LoRA adapters of rank 16 on
all of its maps. `merged` continues all rows by one model into which an adapter is folded, `shared` gives a
quarter of the rows to each adapter and to the base. They take turns; told are tokens per second, medians over
rounds, and how many rows of `shared` have the tokens that their merged models write. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from preparation import clock
from transformers import LlamaConfig, LlamaForCausalLM

from tunesmith.models import adapters
from tunesmith.models.bank import Bank
from tunesmith.models.decoder import Batching, Decoder
from tunesmith.models.sampling import Sampling
from tunesmith.serve.admission import Limits
from tunesmith.serve.native import building
from tunesmith.serve.native.decoder import NativeDecoder

_PROMPT = 64
_RANK = 16
_NAMES = ("first", "second", "third")


def main() -> None:
    """Measure and tell."""
    given = _arguments()
    torch.manual_seed(0)
    base = LlamaForCausalLM(_config(given.layers)).eval()
    with tempfile.TemporaryDirectory() as folder:
        folders = {name: _adapter(base, Path(folder) / name, seed) for seed, name in enumerate(_NAMES)}
        rows = [(None, *_NAMES)[row % 4] for row in range(given.rows)]
        expected = _expected(base, folders, rows, given.tokens)
        found = {engine: _engine(engine, base, folders, rows, expected, given) for engine in given.engines}
    print(
        json.dumps(
            {"machine": clock.machine(), "parameters": base.num_parameters(), "rows": len(rows), **found}
        )
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=("torch", "native"), default=["torch", "native"])
    for name, default in (("rows", 8), ("tokens", 32), ("layers", 4), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def _config(layers: int) -> LlamaConfig:
    return LlamaConfig(
        hidden_size=576, intermediate_size=1536, num_attention_heads=9, num_key_value_heads=3,
        num_hidden_layers=layers, vocab_size=8192, max_position_embeddings=1024,
    )  # fmt: skip


def _adapter(base: LlamaForCausalLM, folder: Path, seed: int) -> Path:
    module = copy.deepcopy(base)
    adapters.add(module, rank=_RANK, alpha=32)
    torch.manual_seed(seed)
    for _, adapter in adapters.adapters(module):
        torch.nn.init.normal_(adapter.lora_B, std=0.02)
    folder.mkdir()
    adapters.save(module, folder, base="base", task_type="CAUSAL_LM")
    return folder


def _expected(
    base: LlamaForCausalLM, folders: dict[str, Path], rows: Sequence[str | None], tokens: int
) -> list[list[int]]:
    """What the merged model of each row writes alone."""
    alone = {name: _decoder("torch", _merged(base, folders.get(name or ""))) for name in {*rows}}
    return [_written(alone[name], [None], tokens, row)[0] for row, name in enumerate(rows)]


def _engine(
    engine: str,
    base: LlamaForCausalLM,
    folders: dict[str, Path],
    rows: Sequence[str | None],
    expected: list[list[int]],
    given: argparse.Namespace,
) -> dict[str, Any]:
    merged, shared = _decoder(engine, _merged(base, folders["first"])), _decoder(engine, _merged(base, None))
    for name, folder in folders.items():
        shared.bank.add(name, folder)  # type: ignore[attr-defined]
    figures: dict[str, list[float]] = {"merged": [], "shared": []}
    for _ in range(given.rounds):
        for kind, decoder, names in (("merged", merged, [None] * len(rows)), ("shared", shared, rows)):
            begun = time.perf_counter()
            said = _written(decoder, names, given.tokens)
            figures[kind].append(len(rows) * given.tokens / (time.perf_counter() - begun))
    for decoder in (merged, shared):
        if isinstance(decoder, NativeDecoder):
            decoder.close()  # its threads would look for steps in memory that is gone
    medians = {kind: round(statistics.median(values), 1) for kind, values in figures.items()}
    same = sum(one == other for one, other in zip(said, expected, strict=True))
    return {**medians, "ratio": round(medians["shared"] / medians["merged"], 3), "same": same}


def _merged(base: LlamaForCausalLM, folder: Path | None) -> LlamaForCausalLM:
    module = copy.deepcopy(base)
    if folder is not None:
        adapters.load(module, folder)
        adapters.merge(module)
    return module.eval()


def _decoder(engine: str, module: LlamaForCausalLM) -> Batching:
    if engine == "native":
        digest = str(float(sum(p.detach().double().sum() for p in module.parameters())))
        return building.decoder(module, f"bench {digest}", "float32", Limits(running_size=8192))
    made = Decoder(module, max_batch=32, bank=(bank := Bank(module)))
    made.bank = bank  # type: ignore[attr-defined]
    return made


def _written(decoder: Batching, names: Sequence[str | None], tokens: int, first: int = 0) -> list[list[int]]:
    """What each row writes; rows have prompts of their own."""
    decoder.clear()
    found: dict[int, list[int]] = {}
    for row, name in enumerate(names, first):
        prompt = [(7 * row + 13 * place) % 8000 + 1 for place in range(_PROMPT)]
        found[decoder.add(prompt, Sampling(max_new_tokens=tokens), name)] = []
    while decoder.active:
        for token in decoder.step():
            found[token.handle].append(token.id)
    return list(found.values())


if __name__ == "__main__":
    main()
