"""What the chain found and what it lost, held against the truth; and how well wrong labels are ranked."""

from __future__ import annotations

import csv
import random
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from preparation import truth
from tunesmith.data.hygiene.wrong_labels import label_quality
from tunesmith.data.similarity import SimilarRows, components


def of_chain(plants: Path, ledger: Path) -> dict[str, object]:
    """Shares of true pairs of which one row is gone, and of rows gone though nothing is like them.

    A pair counts when neither of its rows was dropped by a filter. Junk is meant to be dropped.
    """
    known = truth.cached(plants)
    states = pl.read_parquet(ledger).sort("line")["state"].to_list()
    kinds = [row["kind"] for row in truth.read(plants)]
    judged = [(a, b) for a, b, _ in known if "dropped" not in (states[a], states[b])]
    found = sum("duplicate" in (states[a], states[b]) for a, b in judged)
    alike = {row for a, b, _ in known for row in (a, b)}
    unique = [row for row, kind in enumerate(kinds) if kind != "junk" and row not in alike]
    lost = [row for row in unique if states[row] != "used"]
    junk = [states[row] for row, kind in enumerate(kinds) if kind == "junk"]
    return {
        "pairs": len(judged),
        "pairs_found": round(found / len(judged), 5),
        "unique_rows": len(unique),
        "unique_rows_lost": round(len(lost) / len(unique), 6),
        "unique_rows_lost_by_state": {
            state: sum(states[row] == state for row in lost) for state in ("duplicate", "dropped")
        },
        "junk_kept": junk.count("used"),
    }


def of_search(plants: Path) -> dict[str, object]:
    """The share of true pairs which `SimilarRows` finds in the same texts: as pairs, and as connected."""
    texts = truth.texts(plants)
    known = truth.cached(plants)
    with tempfile.TemporaryDirectory() as folder:
        rows = SimilarRows(Path(folder), threshold=truth.THRESHOLD)
        rows.add(pl.Series(texts))
        edges = rows.edges()
        rows.close()
    both = zip(edges.first.tolist(), edges.second.tolist(), strict=True)
    found = {pair for pair in both if texts[pair[0]]}
    heads = components(len(texts), edges)
    near = [(a, b) for a, b, similarity in known if similarity < 0.9]
    true = {(a, b) for a, b, _ in known}
    return {
        "pairs": len(known),
        "recall": round(float(np.mean([(a, b) in found for a, b, _ in known])), 5),
        "recall_below_0.9": round(float(np.mean([pair in found for pair in near])), 5),
        "connected": round(float(np.mean([heads[a] == heads[b] for a, b, _ in known])), 5),
        "false_pairs": len(found - true),
    }


def of_labels(shared: Path, seed: int = 0) -> dict[str, object]:
    """The area under the ROC curve of the ranking of banking77 when a tenth of its labels are made wrong."""
    with (shared / "cls_banking77" / "train.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    texts, labels = [row["text"] for row in rows], [row["category"] for row in rows]
    names, dice = sorted(set(labels)), random.Random(seed)
    wrong = set(dice.sample(range(len(rows)), len(rows) // 10))
    given = [
        dice.choice([n for n in names if n != label]) if i in wrong else label
        for i, label in enumerate(labels)
    ]
    scores = np.nan_to_num(label_quality(texts, given)["score"].to_numpy(), nan=1.0)
    is_wrong = np.isin(np.arange(len(rows)), sorted(wrong))
    ranks = pl.Series(-scores).rank("average").to_numpy()
    count = int(is_wrong.sum())
    auroc = (ranks[is_wrong].sum() - count * (count + 1) / 2) / (count * (len(rows) - count))
    return {"rows": len(rows), "wrong": count, "auroc": round(float(auroc), 4)}
