"""Our chain over a corpus of JSON Lines: python ours.py CORPUS OUT

Rows that stay are in OUT/clean.parquet; where each row ended is in OUT/ledger.parquet.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tunesmith.core.recipe import Data
from tunesmith.data.pipeline import stream
from tunesmith.data.shelf import Shelf

CLEANERS = [
    "fix_mojibake",
    "strip_html",
    "normalise",
    {"name": "limit_length", "shortest": 10},
    "drop_symbols",
    "drop_repetitive",
    "mask_pii",
    "dedup",
]


def main(corpus: Path, out: Path) -> None:
    scratch = out / "scratch"
    data = Data.model_validate({"source": str(corpus), "clean": CLEANERS, "on_error": "drop"})
    streamed = stream(data, shape="text", base=corpus.parent, folder=scratch)
    kept = Shelf(scratch / "kept")
    for frame in streamed.frames("all"):
        kept.add(frame)
    kept.write_parquet(out / "clean.parquet")
    streamed.account.write(out / "ledger.parquet", scratch / "ledger")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
