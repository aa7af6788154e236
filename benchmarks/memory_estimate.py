"""The memory that models are estimated to need, beside what they take.

    python benchmarks/memory_estimate.py [--json]

Models of several families and sizes are made from nothing, each in a process of its own, and trained for a
few steps or made to answer. Measured is the peak of resident memory above what the process had before there
was a model. Printed is one JSON object: `ratios` are the estimate divided by the measurement.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import Any

CASES: dict[str, dict[str, Any]] = {
    "llama 12M, training": {"family": "llama", "hidden": 256, "layers": 8, "vocab": 8000, "length": 256},
    "llama 40M, training": {"family": "llama", "hidden": 512, "layers": 8, "vocab": 16000, "length": 256},
    "llama 60M, training": {"family": "llama", "hidden": 640, "layers": 8, "vocab": 16000, "length": 128},
    "llama 60M, lora": {
        "family": "llama", "hidden": 640, "layers": 8, "vocab": 16000, "length": 256, "method": "lora",
    },
    "gpt2 30M, training": {"family": "gpt2", "hidden": 448, "layers": 8, "vocab": 16000, "length": 256},
    "bert 15M, training": {"family": "bert", "hidden": 384, "layers": 6, "vocab": 12000, "length": 128},
    "bert 50M, training": {"family": "bert", "hidden": 640, "layers": 8, "vocab": 16000, "length": 256},
    "llama 40M, serving": {
        "family": "llama", "hidden": 512, "layers": 8, "vocab": 16000, "length": 1000, "batch": 8,
    },
    "gpt2 60M, serving": {
        "family": "gpt2", "hidden": 640, "layers": 8, "vocab": 16000, "length": 500, "batch": 4,
    },
    "bert 50M, serving": {
        "family": "bert", "hidden": 640, "layers": 8, "vocab": 16000, "length": 256, "batch": 16,
    },
}  # fmt: skip
TOKENS = 2048
_WRITTEN = 48


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print nothing but JSON")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(_measure(CASES[given.only])))
        return
    found = {}
    for name in CASES:
        command = [sys.executable, __file__, "--only", name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[name] = json.loads(done.stdout)
        if not given.json:
            print(name, found[name], file=sys.stderr)
    ratios = {name: round(one["estimated"] / one["measured"], 3) for name, one in found.items()}
    print(json.dumps({"cases": found, "ratios": ratios}, indent=None if given.json else 1))


def _measure(case: dict[str, Any]) -> dict[str, int]:
    from tunesmith.core.memory import peak_memory_bytes
    from tunesmith.models import memory
    from tunesmith.models.shapes import of_config

    _warm_up()
    before = peak_memory_bytes()
    module = _make(case)
    shape = of_config(module.config.to_dict())
    kind = "encoder" if case["family"] == "bert" else "language"
    if "batch" in case:
        _serve(module, kind, case)
        estimated = memory.serving(shape, kind, context=case["length"], batch=case["batch"])
    else:
        _train(module, kind, case)
        method = case.get("method", "full")
        estimated = memory.training(shape, kind, length=case["length"], tokens=TOKENS, method=method)
    measured = peak_memory_bytes() - before
    return {"parameters": shape.parameters, "estimated": estimated, "measured": measured}


def _warm_up() -> None:
    """Load what any model needs, so that only the model is measured."""
    for family in ("llama", "gpt2", "bert"):
        tiny = {"family": family, "hidden": 32, "layers": 1, "vocab": 300, "length": 2 * _WRITTEN}
        kind = "encoder" if family == "bert" else "language"
        _train(_make(tiny), kind, tiny)
        _serve(_make(tiny), kind, {**tiny, "batch": 2})
    _train(_make(tiny := {**tiny, "family": "llama", "method": "lora"}), "language", tiny)


def _make(case: dict[str, Any]) -> Any:
    import transformers
    from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    transformers.logging.set_verbosity_error()
    hidden, vocab, layers, heads = case["hidden"], case["vocab"], case["layers"], max(1, case["hidden"] // 64)
    if case["family"] == "gpt2":
        config = GPT2Config(vocab_size=vocab, n_embd=hidden, n_layer=layers, n_head=heads)
        return GPT2LMHeadModel(config)
    sizes = {
        "vocab_size": vocab, "hidden_size": hidden, "num_hidden_layers": layers, "num_attention_heads": heads,
    }  # fmt: skip
    if case["family"] == "bert":
        return BertModel(BertConfig(**sizes, intermediate_size=4 * hidden), add_pooling_layer=False)
    inner = -(-hidden * 8 // 3 // 32) * 32
    return LlamaForCausalLM(LlamaConfig(**sizes, intermediate_size=inner, tie_word_embeddings=True))


def _train(module: Any, kind: str, case: dict[str, Any]) -> None:
    """The steps of a real run: the longest batch, then ordinary ones."""
    import numpy as np

    from tunesmith.core import components
    from tunesmith.core.recipe import Train
    from tunesmith.models.card import Card
    from tunesmith.models.classifier import Classifier
    from tunesmith.tasks.task import Example, Learner
    from tunesmith.train import methods
    from tunesmith.train.stepper import Stepper

    getattr(methods, case.get("method", "full"))(module)
    whole = Classifier(module, 4) if kind == "encoder" else module
    rng = np.random.default_rng(0)
    ids = rng.integers(0, case["vocab"], (32, case["length"]), dtype=np.int32)
    target: Any = 1 if kind == "encoder" else np.ones(case["length"], dtype=np.bool_)
    rows = [Example(i, row, target) for i, row in enumerate(ids)]
    card = Card(kind="classifier" if kind == "encoder" else "language", context=case["length"])
    learner = Learner(module=whole, backbone=module, tokenizer=None, card=card)
    task = components.tasks.get("classify" if kind == "encoder" else "generate")()
    settings = Train(micro_batch_tokens=TOKENS, precision="float32", batch_size=16)
    stepper = Stepper(learner, task, rows, settings, 0)
    stepper.rehearse()
    stepper.step(0)


def _serve(module: Any, kind: str, case: dict[str, Any]) -> None:
    """As many texts at once as the case says, each as long as it says."""
    import numpy as np
    import torch

    from tunesmith.models.decoder import Decoder
    from tunesmith.models.sampling import Sampling

    ids = np.random.default_rng(0).integers(0, case["vocab"], (case["batch"], case["length"]))
    module.eval()
    if kind == "encoder":
        with torch.inference_mode():
            module(input_ids=torch.from_numpy(ids), attention_mask=torch.ones(ids.shape, dtype=torch.long))
        return
    decoder = Decoder(module, max_batch=case["batch"])
    for row in ids:
        # Long enough that the first still writes when the last is read.
        decoder.add(row[:-_WRITTEN].tolist(), Sampling(max_new_tokens=_WRITTEN))
    while decoder.active:
        decoder.step()


if __name__ == "__main__":
    main()
