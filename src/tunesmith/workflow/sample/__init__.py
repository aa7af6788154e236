"""The built-in sample: support messages of a small shop in Chinese and English, with known problems planted.

All phrases are our own and lie in `phrases/`; every table is a pure function of `(count, seed)`.
"""

from tunesmith.workflow.sample.generate import COLUMNS, rows
from tunesmith.workflow.sample.plant import Truth, plant, write

__all__ = ["COLUMNS", "Truth", "plant", "rows", "write"]
