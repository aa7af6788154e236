"""Labels needed with active learning beside a random choice, by an annotator who is simulated.

    python benchmarks/active_learning.py [--seeds 5] [--order mixed] [--sets banking77 csl snips]

A set's rows with their labels are the pool; held-out rows measure. The queue of `tunesmith data label`
(`--order`) is asked for the next rows as often as it asks its model, their true labels are given, and the
model learns again, until its macro F1 on held-out rows is 95 % of that with the whole pool labelled. The tenth
of the rows that the queue draws at random is not simulated. Printed is one JSON object: for each set the
medians over the seeds of the labels needed, each seed's own, and `share`, ours divided by random's.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tunesmith.models.tfidf import features_of
from tunesmith.workflow.labelling.learner import LEAST, Learner, until_next

HERE = Path(__file__).resolve().parent
SHARED = Path(os.environ.get("TUNESMITH_SHARED_DATA", HERE.parents[1] / "shared" / "data"))
ENOUGH = 0.95
POOL, HELD_OUT = 3000, 1000


def main() -> None:
    """Measure and print."""
    given = _arguments()
    found = {name: measure(name, given) for name in given.sets}
    json.dump(found, sys.stdout, indent=1)
    sys.stdout.write("\n")


def measure(name: str, given: argparse.Namespace) -> dict[str, Any]:
    """Labels needed on one set, over the seeds."""
    began = time.monotonic()
    texts, labels = read(name)
    vectors = features_of(texts)
    needed: dict[str, list[float]] = {"random": [], given.order: []}
    full: list[float] = []
    for seed in range(given.seeds):
        rng = np.random.default_rng(seed)
        rows = rng.permutation(len(texts))
        held_out, pool = rows[:HELD_OUT], rows[HELD_OUT : HELD_OUT + POOL]
        whole = score(vectors, labels, pool, held_out)
        full.append(whole)
        for order, all_needed in needed.items():
            curve = simulated(vectors, labels, pool, held_out, order, seed, ENOUGH * whole)
            all_needed.append(reached(curve, ENOUGH * whole))
            print(name, seed, order, round(all_needed[-1]), file=sys.stderr)
    random, ours = median(needed["random"]), median(needed[given.order])
    return {
        "rows": min(POOL, len(texts) - HELD_OUT), "labels": len(set(labels)), "order": given.order,
        "seeds": given.seeds, "macro_f1_full": round(median(full), 4), "random": round(random),
        "ours": round(ours), "share": round(ours / random, 3),
        "each": {order: [round(one) for one in found] for order, found in needed.items()},
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def simulated(
    vectors: Any,
    labels: np.ndarray,
    pool: np.ndarray,
    held_out: np.ndarray,
    order: str,
    seed: int,
    target: float,
) -> Iterator[tuple[int, float]]:
    """How many labels there are and the macro F1, step by step, up to the target."""
    learner = Learner(vectors, seed=seed)
    nothing = np.array([], np.int64)
    known = learner.choose(order, pool, nothing, (), LEAST) if order == "mixed" else pool[:LEAST]
    while True:
        learner.fit(known, labels[known].tolist())
        reaches = macro_f1(learner, labels, held_out)
        yield len(known), reaches
        rest = np.setdiff1d(pool, known, assume_unique=True)
        if reaches >= target or not len(rest):
            return
        count = min(len(rest), until_next(len(known)))
        if order == "random":
            chosen = pool[len(known) : len(known) + count]
        else:
            chosen = learner.choose(order, rest, known, labels[known].tolist(), count)
        known = np.concatenate([known, chosen])


def reached(curve: Iterator[tuple[int, float]], target: float) -> float:
    """Where the curve first comes to the target, between two steps as on a straight line."""
    before = (0, 0.0)
    for size, value in curve:
        if value >= target:
            share = (target - before[1]) / (value - before[1])
            return before[0] + share * (size - before[0])
        before = (size, value)
    return float(before[0])


def score(vectors: Any, labels: np.ndarray, pool: np.ndarray, held_out: np.ndarray) -> float:
    """The macro F1 with the whole pool labelled."""
    learner = Learner(vectors)
    learner.fit(pool, labels[pool].tolist())
    return macro_f1(learner, labels, held_out)


def macro_f1(learner: Learner, labels: np.ndarray, rows: np.ndarray) -> float:
    """On held-out rows; a label that was not seen counts as 0."""
    return learner.score(rows, labels[rows].tolist())


def read(name: str) -> tuple[list[str], np.ndarray]:
    """Texts and labels of a set, each text once; of a large one as many as are used."""
    rows = list(dict(READERS[name]()).items())
    some = np.random.default_rng(0).permutation(len(rows))[: POOL + HELD_OUT]
    return [rows[i][0] for i in some], np.array([rows[i][1] for i in some], dtype=object)


def _banking() -> Iterator[tuple[str, str]]:
    with (SHARED / "cls_banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["text"], row["category"]


def _csl() -> Iterator[tuple[str, str]]:
    for line in (SHARED / "cls_csl_zh" / "cls_ctg_train.tsv").read_text("utf-8").splitlines():
        _, text, label = line.split("\t")
        yield text, label


def _snips() -> Iterator[tuple[str, str]]:
    for path in sorted((SHARED / "slot_snips").glob("train_*_full.json")):
        for rows in json.loads(path.read_text("utf-8", errors="replace")).values():
            for row in rows:
                yield "".join(part["text"] for part in row["data"]), path.stem.split("_")[1]


READERS = {"banking77": _banking, "csl": _csl, "snips": _snips}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--order", default="mixed")
    parser.add_argument("--sets", nargs="+", choices=READERS, default=list(READERS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
