"""Column names that say what a column is, best first. Compared without regard to case."""

from __future__ import annotations

import re

_LANGUAGE = re.compile(r"(?:^|[._ -])([A-Za-z]{2,3})(?:[-_][A-Za-z]{2,4})?$")

TEXT = (
    "text", "sentence", "message", "content", "review", "query", "utterance", "comment", "document",
    "body", "sms", "文本", "内容", "句子", "评论", "正文",
)  # fmt: skip
LABEL = (
    "label", "category", "class", "intent", "sentiment", "topic", "target",
    "标签", "类别", "分类", "意图",
)  # fmt: skip
PAIRS = (
    ("instruction", ("output", "response", "completion", "answer")),
    ("prompt", ("completion", "response", "output", "answer", "canonical_solution")),
    ("question", ("answer", "response", "output", "answers")),
    ("query", ("response", "answer", "output")),
    ("问题", ("答案", "回答")),
    ("提问", ("回答", "答案")),
    ("指令", ("输出", "回答")),
)
"""A prompt, and the names its answer may have."""
INPUT = ("input", "输入")
SYSTEM = ("system", "system_prompt")
HISTORY = ("history",)
TOOLS = ("tools",)
CONVERSATION = ("messages", "conversations", "conversation")
CHOSEN = ("chosen",)
REJECTED = ("rejected",)
DESIRABLE = ("kto_tag", "label", "desirable")
LABELS = ("labels", "label", "tags", "categories", "topics", "标签")
PASSAGES = ("paragraphs", "para", "lines", "sentences", "content", "text")
"""Columns whose lists of texts are one text."""

QUESTION = ("question", "query", "问题")
CONTEXT = ("context", "passage", "paragraph", "document", "文章", "上下文")
ANSWERS = ("answers", "answer", "答案")

SIDES = (
    ("source", "target"),
    ("src", "tgt"),
    ("document", "summary"),
    ("dialogue", "summary"),
    ("article", "highlights"),
    ("article", "summary"),
    ("text", "summary"),
    ("content", "summary"),
    ("abstract", "title"),
    ("content", "title"),
    ("原文", "译文"),
    ("正文", "摘要"),
    ("正文", "标题"),
)
"""Two texts that say the same, in another language or more briefly."""
SENTENCES = (("sentence1", "sentence2"), ("sentence_1", "sentence_2"), ("text1", "text2"), ("句子1", "句子2"))
"""Two texts that are compared."""
TRIPLETS = (
    ("anchor", "positive", "negative"),
    ("query", "positive", "negative"),
    ("question", "positive", "negative"),
)
"""A text, one that belongs to it, and one that does not."""
SCORE = ("score", "rating", "stars", "grade", "value", "分数", "评分", "得分")
SIMILARITY = (*SCORE, "similarity", "similarity_score", "label", "相似度")

LANGUAGES = frozenset((
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr",
    "hu", "id", "is", "it", "ja", "ka", "kk", "km", "ko", "lo", "lt", "lv", "mk", "mn", "mr", "ms", "mt",
    "my", "nb", "ne", "nl", "no", "pa", "pl", "ps", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "sw",
    "ta", "te", "th", "tl", "tr", "uk", "ur", "uz", "vi", "yue", "zh", "zho", "cmn", "eng", "deu", "fra",
    "spa", "rus", "jpn",
))  # fmt: skip
"""Codes of languages that name columns."""

_PAIRED = {name for prompt, answers in PAIRS for name in (prompt, *answers)}
_SIDES = {name for pair in SIDES for name in pair}
_ALIKE = {name for columns in (*SENTENCES, *TRIPLETS) for name in columns}
KNOWN = frozenset(
    (*TEXT, *LABEL, *_PAIRED, *_SIDES, *_ALIKE, *INPUT, *SYSTEM, *HISTORY, *CONVERSATION, *LANGUAGES, "id")
)
"""Names that show that a first line is a header."""


def all_of(names: tuple[str, ...], columns: list[str]) -> list[str]:
    """The columns with any of `names`, best first."""
    return [found for name in names if (found := first_of((name,), columns))]


def first_of(names: tuple[str, ...], columns: list[str]) -> str | None:
    """The column with the best of `names`, or None."""
    folded = {column.strip().casefold(): column for column in reversed(columns)}
    return next((folded[name] for name in names if name in folded), None)


def is_language(column: str) -> bool:
    """Whether a column is named by a language: `zh`, `zh-CN`, `ntrex.de`."""
    return bool((match := _LANGUAGE.search(column.strip())) and match[1].casefold() in LANGUAGES)
