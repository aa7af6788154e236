"""Column names that say what a column is, best first. Compared without regard to case."""

from __future__ import annotations

TEXT = (
    "text", "sentence", "message", "content", "review", "query", "utterance", "comment", "document",
    "body", "sms", "文本", "内容", "句子", "评论", "正文",
)  # fmt: skip
LABEL = (
    "label", "category", "class", "intent", "sentiment", "topic", "target",
    "标签", "类别", "分类", "意图",
)  # fmt: skip
PAIRS = (
    ("instruction", ("output", "response", "completion")),
    ("prompt", ("completion", "response", "output")),
)
"""A prompt, and the names its answer may have."""
INPUT = ("input",)
SYSTEM = ("system",)
HISTORY = ("history",)
CONVERSATION = ("messages", "conversations", "conversation")

_PAIRED = {name for prompt, answers in PAIRS for name in (prompt, *answers)}
KNOWN = frozenset((*TEXT, *LABEL, *_PAIRED, *INPUT, *SYSTEM, *HISTORY, *CONVERSATION, "id"))
"""Names that show that a first line is a header."""


def all_of(names: tuple[str, ...], columns: list[str]) -> list[str]:
    """The columns with any of `names`, best first."""
    return [found for name in names if (found := first_of((name,), columns))]


def first_of(names: tuple[str, ...], columns: list[str]) -> str | None:
    """The column with the best of `names`, or None."""
    folded = {column.strip().casefold(): column for column in reversed(columns)}
    return next((folded[name] for name in names if name in folded), None)
