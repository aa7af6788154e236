"""What weights in fewer bits cost a model that we have fine-tuned: its certificate, and its task's metrics.

    python benchmarks/native_quality.py [--rows 240] [--json]

tiny-zh-en learns the built-in sample of messages to a shop and replies. New messages are answered greedily
by the model as it is, computed by torch in float32, and by our engine with weights in each of its formats,
once with keys and values in int8 too.
`same` is the share of answers that are equal to those of torch, `rouge_l` holds them to the replies wanted,
and `perplexity` is that of these replies; `certificate` is what packing a model always makes.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tunesmith
from tunesmith.eval.outcome import TextOutcome
from tunesmith.eval.rouge import rouge_l
from tunesmith.models.decoder import Batching, Decoder
from tunesmith.models.language import LanguageModel
from tunesmith.models.token import Likelihood
from tunesmith.serve.admission import Limits
from tunesmith.serve.names import KvCache, Weights
from tunesmith.serve.native import building, certificate
from tunesmith.workflow import sample

Row = dict[str, str]
FORMATS: dict[str, tuple[Weights, KvCache]] = {
    "float32": ("float32", "float32"),
    "bfloat16": ("bfloat16", "bfloat16"),
    "int8": ("int8", "bfloat16"),
    "int8, kv int8": ("int8", "int8"),
    "int4": ("int4", "bfloat16"),
}
BATCH = 8
TOKENS = 24
RECIPE = """
task: chat
model: tiny-zh-en
data: {source: rows.jsonl, fields: {prompt: message, completion: reply}, split: {test: 0.05, validation: 0}}
train: {epochs: 4, batch_size: 8, optimizer: {name: adamw, lr: 1e-3}, schedule: cosine}
publish: {name: taught}
"""


def main() -> None:
    """Teach, then measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=240, help="rows that are learned; a tenth more are asked")
    parser.add_argument("--json", action="store_true", help="on one line")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model, asked = taught(Path(folder), given.rows)
        found = figures(model, asked)
    print(json.dumps(found, indent=None if given.json else 1, ensure_ascii=False))


def taught(folder: Path, count: int) -> tuple[LanguageModel, list[Row]]:
    """A model that has learned so many rows, and rows of the same kinds that it has not seen."""
    rows = sample.rows(count + count // 10)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows[:count]]
    (folder / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "chat.yaml").write_text(RECIPE, "utf-8")
    result = tunesmith.run(folder / "chat.yaml", workspace=folder / "workspace")
    model: Any = tunesmith.load(result["release"], workspace=folder / "workspace")
    kinds = {row["family"] for row in rows[:count]}
    return model, [row for row in rows[count:] if row["family"] in kinds]


def figures(model: LanguageModel, rows: Sequence[Row]) -> dict[str, Any]:
    """Of torch, and of each format of weights."""
    torch = Decoder(model.module, max_batch=BATCH)
    expected = answers(model, torch, rows)
    found: dict[str, Any] = {"torch": _figures(model, torch, rows, expected, expected)}
    limits = Limits(batch=BATCH, running_size=4096)
    for name, (weights, kv_cache) in FORMATS.items():
        decoder = building.decoder(model.module, model.digest, weights, limits, kv_cache=kv_cache)
        found[name] = _figures(model, decoder, rows, answers(model, decoder, rows), expected)
        decoder.close()
        certified = {(one["weights"], one["kv_cache"]): one for one in certificate.known(model.digest)}
        found[name]["certificate"] = certified[weights, kv_cache]
    return found


def answers(model: LanguageModel, decoder: Batching, rows: Sequence[Row]) -> list[list[int]]:
    """Token ids that are answered to each message."""
    wish = model.sampling(room=TOKENS, max_new_tokens=TOKENS, temperature=0.0)
    found: dict[int, list[int]] = {}
    waiting = [_asked(model, row) for row in rows]
    while waiting or decoder.active:
        while waiting and decoder.active < BATCH:
            found[decoder.add(waiting.pop(0), wish)] = []
        for token in decoder.step():
            found[token.handle].append(token.id)
    return list(found.values())


def _figures(
    model: LanguageModel,
    decoder: Batching,
    rows: Sequence[Row],
    said: Sequence[list[int]],
    expected: Sequence[list[int]],
) -> dict[str, float]:
    outcome = TextOutcome(
        sources=[row["message"] for row in rows],
        targets=[row["reply"] for row in rows],
        predicted=[model.tokenizer.decode(ids) for ids in said],
        rows=range(len(rows)),
    )
    return {
        "same": sum(a == b for a, b in zip(said, expected, strict=True)) / len(rows),
        "rouge_l": rouge_l(outcome),
        "perplexity": _perplexity([one for row in rows for one in _wanted(model, decoder, row)]),
    }


def _asked(model: LanguageModel, row: Row) -> list[int]:
    return model.contract.encode(model.tokenizer, [{"role": "user", "content": row["message"]}])


def _wanted(model: LanguageModel, decoder: Batching, row: Row) -> list[Likelihood]:
    """How likely each token of the reply is that was wanted."""
    begin = _asked(model, row)
    ids = [*begin, *model.tokenizer.encode(row["reply"], add_special_tokens=False).ids]
    return decoder.likelihoods(ids, 0)[len(begin) - 1 :]


def _perplexity(found: Sequence[Likelihood]) -> float:
    return math.exp(-sum(one.logprob for one in found) / len(found))


if __name__ == "__main__":
    main()
