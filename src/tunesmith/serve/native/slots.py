"""Where compiled code finds things: one table of 64-bit numbers, most of them addresses of arrays.

Compiled functions take addresses and sizes only. Arrays as arguments would make their compilation take ten
times as long. C is hidden size, D the size of a head, L layers; a stride is in numbers of the array's kind.
"""

from __future__ import annotations

from enum import IntEnum, auto


class Slot(IntEnum):
    """What is at which place of the table."""

    THREADS = 0
    CONTROL = auto()  # numbers that threads share, each in a line of memory of its own
    TAKEN = (
        auto()
    )  # the same [matrices, then layers]: how much of a product, and of attention, threads have taken
    # The model.
    LAYERS = auto()
    HIDDEN = auto()
    HEADS = auto()
    KV_HEADS = auto()
    HEAD = auto()
    INNER = auto()
    ACTIVATION = auto()
    LAYERED = auto()  # norms take the mean off
    HEADED = auto()  # heads have norms of their own
    EPS = auto()  # float32
    SCALE = auto()  # of scores, float32
    MATRICES = auto()  # int64 [L + 1, 4, MATRIX]
    FORMATS = auto()  # int64 [formats, FORMAT_STRIDE]; the first is float32
    FORMAT_STRIDE = auto()
    MEMORY = auto()  # the row of FORMATS in which keys and values are kept
    NORMS = auto()  # [2 L + 1, C]
    NORM_BIASES = auto()
    HEAD_NORMS = auto()  # [L, queries and keys, D]
    WINDOWS = auto()  # int64 [L]: tokens that a token sees
    COS = auto()  # [positions, D / 2]
    SIN = auto()
    # What is remembered, laid out as panels of weights.
    KEYS = auto()  # [L, pages, heads, PAGE / 16, D, 16]; in bfloat16 two of D lie beside each other
    VALUES = auto()  # [L, pages, heads, D / 16, PAGE, 16]; in bfloat16 two of PAGE
    KEY_SCALES = auto()  # [L, pages, heads, PAGE], of bytes only
    VALUE_SCALES = auto()
    PAGES = auto()
    # Room to compute in.
    X = auto()  # [rows, X_STRIDE]
    X_STRIDE = auto()
    OPERANDS = auto()  # bytes [copies, OPERAND_ROWS, OPERAND_STRIDE]: rows as kernels read them
    OPERAND_ROWS = auto()
    OPERAND_STRIDE = auto()  # bytes, of the widest row
    SIDES = auto()  # [copies, OPERAND_ROWS, SIDES_STRIDE]: scale and correction of each group of a row
    SIDES_STRIDE = auto()
    MIXED = auto()  # [rows, MIXED_STRIDE]: queries, keys and values
    MIXED_STRIDE = auto()
    ATTENDED = auto()  # [rows, heads * D]
    UP = auto()  # [rows, UP_STRIDE]
    UP_STRIDE = auto()
    ROW = auto()  # [threads, ROW_STRIDE]
    ROW_STRIDE = auto()
    TILE = auto()  # [threads, rows of a kernel, 16]
    TILE_STRIDE = auto()
    QUERIES = auto()  # [threads, BESIDE, D]
    SCORES = auto()  # [threads, BESIDE, SCORES_STRIDE]
    SCORES_STRIDE = auto()
    MIX = auto()  # [threads, BESIDE, MIX_STRIDE]
    MIX_STRIDE = auto()
    BESIDE = auto()  # rows that attend together
    LOGITS = auto()  # [asked, LOGITS_STRIDE]
    LOGITS_STRIDE = auto()
    # What is read.
    ROWS = auto()
    SEGMENTS = auto()  # how many
    ASKED = auto()  # how many
    POSITIONS = auto()  # int64 [rows]
    PARTS = auto()  # int64 [segments, first row and number of rows]
    TABLES = auto()  # int64 [segments, TABLES_STRIDE]: pages
    TABLES_STRIDE = auto()
    ASKED_ROWS = auto()  # int64 [asked]
    # Adapters.
    ADAPTERS = auto()  # int64 [rows]: address of a row's adapter, int64 [4 (L + 1), PAIR]; 0 if none has one
    LOW = auto()  # [copies, LOW_STRIDE]: rows behind A
    LOW_STRIDE = auto()


class Matrix(IntEnum):
    """Columns of the table of matrices."""

    WEIGHTS = 0
    SCALES = auto()
    FACTORS = auto()
    BIASES = auto()
    PANELS = auto()
    DEPTH = auto()
    FORMAT = auto()


class Pair(IntEnum):
    """Columns of the table of an adapter: A and B of a matrix, in panels."""

    A = 0  # [PANELS, inputs, 16]
    B = auto()  # [panels of the matrix, 16 PANELS, 16]
    PANELS = auto()  # of rank; 0 where the matrix stays as it is


class Kind(IntEnum):
    """Columns of the table of formats; behind them, the addresses of kernels by their number of rows."""

    CODE = 0
    GROUP = auto()
    OFFSET = auto()
    BITS = auto()  # of a number of depth of a panel
    ROWS = auto()  # of the largest kernel
    KERNELS = auto()


MATRIX = len(Matrix)
PAIR = len(Pair)
PAGE = 32
"""Tokens of one page of memory."""
BLOCK = 16
"""Rows of one sequence that attend together."""
COLUMNS = 16
"""Of a panel."""
LINE = 64
"""Bytes of a line of memory."""
QKV, OUTPUT, UP, DOWN = range(4)
"""The matrices of a layer; the head of the model is the first of a layer behind the last."""
FLOATS, HALVES, WORDS, BYTES = range(4)
"""In which numbers kernels read activations: float32, bfloat16, 16 and 8 bits."""
SILU_GATED, GELU_GATED, GELU_PLAIN = range(3)
"""What stands between the two maps of a block."""
