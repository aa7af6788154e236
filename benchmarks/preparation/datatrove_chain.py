"""The chain in datatrove, two workers: python datatrove_chain.py SHARDS OUT

Tuned: ftfy sees suspects only; signatures are made in the pass that cleans; equal texts, which MinHash finds
as well, get no passes of their own; as many bands and rows as ours. The word shingles of datatrove
itself took twice as long as the characters used here.
"""

from __future__ import annotations

import sys

import numpy as np
import rules
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.formatters import FTFYFormatter
from datatrove.pipeline.formatters.base import BaseFormatter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter, ParquetWriter
from datatrove.utils.hashing import HashConfig

BANDS, ROWS = 20, 6


class Repair(FTFYFormatter):
    def format(self, text: str) -> str:
        return rules.tidy(super().format(text) if rules.is_suspect(text) else text)


class Mask(BaseFormatter):
    name = "mask"

    def format(self, text: str) -> str:
        return rules.mask(text)


class CharacterSignature(MinhashDedupSignature):
    def get_shingles(self, text: str) -> np.ndarray:
        return np.fromiter(map(self._hash_func, rules.shingles(text)), dtype=np.uint64).reshape((-1, 1))


def main(shards: str, out: str) -> None:
    config = MinhashConfig(
        n_grams=5,
        num_buckets=BANDS,
        hashes_per_bucket=ROWS,
        hash_config=HashConfig(precision=32, hash_fc="xxhash"),
    )

    def run(name: str, pipeline: list, tasks: int = 2) -> None:
        LocalPipelineExecutor(
            pipeline=pipeline, tasks=tasks, workers=2, logging_dir=f"{out}/log-{name}", start_method="fork"
        ).run()

    run(
        "clean",
        [
            JsonlReader(shards),
            Repair(),
            LambdaFilter(lambda document: rules.keep(document.text)),
            Mask(),
            JsonlWriter(f"{out}/clean", compression=None),
            CharacterSignature(f"{out}/signatures", config=config),
        ],
    )
    run("buckets", [MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets", config=config)], tasks=BANDS)
    run("cluster", [MinhashDedupCluster(f"{out}/buckets", f"{out}/remove", config=config)], tasks=1)
    run(
        "filter",
        [
            JsonlReader(f"{out}/clean"),
            MinhashDedupFilter(f"{out}/remove"),
            ParquetWriter(f"{out}/kept", adapter=lambda writer, document: {"text": document.text}),
        ],
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
