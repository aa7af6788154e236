"""The chain in datasets and datasketch, two processes: python datasets_chain.py CORPUS OUT

Tuned: ftfy sees suspects only; cleaning, masking and signatures in one pass, signatures in bulk; as many
bands and rows as ours.
"""

from __future__ import annotations

import hashlib
import sys

import ftfy
import numpy as np
import rules
from datasets import disable_progress_bars, load_dataset
from datasketch import MinHash, MinHashLSH

BANDS, ROWS = 20, 6
PERMUTATIONS = BANDS * ROWS


def prepare(batch: dict) -> dict:
    texts = []
    for text in batch["text"]:
        text = rules.tidy(ftfy.fix_text(text, CONFIG) if rules.is_suspect(text) else text)
        if rules.keep(text):
            texts.append(rules.mask(text))
    digests = [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts]
    members = [[shingle.encode() for shingle in rules.shingles(text)] for text in texts]
    made = MinHash.bulk(members, num_perm=PERMUTATIONS, seed=1)
    return {"text": texts, "digest": digests, "signature": [m.hashvalues.astype(np.uint32) for m in made]}


CONFIG = ftfy.TextFixerConfig(
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    normalization=None,
)


def main(corpus: str, out: str) -> None:
    disable_progress_bars()
    rows = load_dataset("json", data_files=corpus, split="train", cache_dir=f"{out}/cache")
    rows = rows.map(prepare, batched=True, num_proc=2, remove_columns=["id"]).with_format(
        "numpy", ["signature", "digest"]
    )
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, ROWS))
    seen: set[bytes] = set()
    kept = []
    template = MinHash(num_perm=PERMUTATIONS, seed=1)
    number = 0
    for batch in rows.iter(batch_size=1000):
        for digest, signature in zip(batch["digest"], batch["signature"], strict=True):
            if bytes(digest) not in seen:
                seen.add(bytes(digest))
                made = template.copy()
                made.hashvalues = signature.astype(np.uint64)
                if not index.query(made):
                    index.insert(number, made, check_duplication=False)
                    kept.append(number)
            number += 1
    rows.with_format(None).select(kept).select_columns("text").to_parquet(f"{out}/kept.parquet")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
