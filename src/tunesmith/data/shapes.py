"""What a task needs of a row: the names of the shapes, their columns, and what `data.fields` may map.

    text          text: str
    labelled      text: str, label: str
    multilabelled text: str, labels: list of str
    scored        text: str, score: float
    messages      messages: list of {role, content, tool_calls}, tools
    preferred     prompt, chosen, rejected: messages (the two continue the prompt, one may be empty), tools
    rated         messages, desirable: bool, tools
    tagged        text: str, spans: list of {start, end, label}, tokens: list of {start, end} or null
    answered      question: str, context: str, answers: list of {text, start}; none when it cannot be answered
    paired        source: str, target: str
    contrasted    source: str, target: str, negative: str
    compared      source: str, target: str, score: float

Roles are system, user, assistant and tool; `tool_calls` is the JSON text of OpenAI's list of calls or null,
`tools` that of the definitions or null. Offsets count code points, the end is exclusive. Names and types are
text here, so that asking for them imports no table library; `data.layouts.frames` has them for polars.
"""

from __future__ import annotations

from collections.abc import Mapping

TEXT = "text"
LABELLED = "labelled"
MULTILABELLED = "multilabelled"
SCORED = "scored"
MESSAGES = "messages"
PREFERRED = "preferred"
RATED = "rated"
TAGGED = "tagged"
ANSWERED = "answered"
PAIRED = "paired"
CONTRASTED = "contrasted"
COMPARED = "compared"

COLUMNS: Mapping[str, tuple[str, ...]] = {
    TEXT: ("text",),
    LABELLED: ("text", "label"),
    MULTILABELLED: ("text", "labels"),
    SCORED: ("text", "score"),
    MESSAGES: ("messages", "tools"),
    PREFERRED: ("prompt", "chosen", "rejected", "tools"),
    RATED: ("messages", "desirable", "tools"),
    TAGGED: ("text", "spans", "tokens"),
    ANSWERED: ("question", "context", "answers"),
    PAIRED: ("source", "target"),
    CONTRASTED: ("source", "target", "negative"),
    COMPARED: ("source", "target", "score"),
}
"""The columns of each shape."""

ROLE_TAGS = (
    "role_tag", "content_tag",
    "user_tag", "assistant_tag", "observation_tag", "function_tag", "system_tag",
)  # fmt: skip
"""Fields that name no column but what a conversation calls its parts, as in LLaMA-Factory's `tags`."""

NAMES = frozenset((*ROLE_TAGS, "tag_names", "separator"))
"""Fields whose values are no columns: role tags, the tags that numbers stand for, what divides labels."""

_PARTS = ("messages", "system", "prompt", "input", "completion", "history", "tools")

FIELDS: Mapping[str, tuple[str, ...]] = {
    TEXT: ("text", "prompt", "input", "completion"),
    LABELLED: ("text", "label"),
    MULTILABELLED: ("text", "labels", "separator"),
    SCORED: ("text", "score"),
    MESSAGES: (*_PARTS, *ROLE_TAGS),
    PREFERRED: (
        "messages",
        "system",
        "prompt",
        "input",
        "history",
        "chosen",
        "rejected",
        "completion",
        "desirable",
        "tools",
        *ROLE_TAGS,
    ),
    RATED: (*_PARTS, "desirable", *ROLE_TAGS),
    TAGGED: ("text", "spans", "tokens", "tags", "tag_names", "start", "end", "label"),
    ANSWERED: ("question", "context", "answers"),
    PAIRED: ("source", "target"),
    CONTRASTED: ("source", "target", "negative"),
    COMPARED: ("source", "target", "score"),
}
"""The names a recipe's `data.fields` may map to columns, by shape."""
