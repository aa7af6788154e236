"""What an answer in words comes to: the option it names, the number or the text that is looked for in it."""

from __future__ import annotations

from collections.abc import Sequence

import regex

# A pattern of a user's own may take for ever on a text; then it has found nothing.
_SECONDS = 1.0
_ENDS = r"(?=\s*(?:$|[.,:：、。，)）\]】*”\"'\n]))"
_NAMED = (
    r"(?:答案|选择?|应选|故选)\s*(?:是|为|应为|应该是)?\s*[:：]?\s*[*“\"'(（\[【]*([{letters}])(?![A-Za-z])",
    r"(?i:answer)\s*(?i:is|would be)?\s*[:：]?\s*[*\"'(\[]*([{letters}])(?![A-Za-z])",
    r"^\s*[*“\"'(（\[【]*([{letters}])" + _ENDS,
    r"(?i:option|choice)\s*(?i:is|would be)?\s*[:：]?\s*[*\"'(\[]*([{letters}])(?![A-Za-z])",
    r"(?<![A-Za-z])[(（\[【*]([{letters}])[)）\]】*](?![A-Za-z])",
    # An A that something follows may be an article, an I a pronoun.
    r"(?<![A-Za-z'])((?![AI])[{letters}]|[AI]" + _ENDS + r")(?![A-Za-z'])",
)


def option(answer: str, letters: str, texts: Sequence[str]) -> int | None:
    """The number of the option that an answer names, by its letter, else by its text alone.

    Of the ways to name it the plainest counts: `答案是 B`, `the answer is (B)`, a letter to begin with.
    Whoever thinks aloud before answering is taken by the last place.
    """
    for form in _NAMED:
        found = regex.findall(form.replace("{letters}", letters), answer)
        if found:
            return letters.index(found[-1])
    inside = [number for number, text in enumerate(texts) if text and text in answer]
    return inside[0] if len(inside) == 1 else None


def extracted(text: str, patterns: Sequence[str]) -> str | None:
    """What the first pattern that is found marks at its last place, by its first group if it has one.

    Without patterns it is all of the text.
    """
    if not patterns:
        return text.strip()
    for pattern in patterns:
        try:
            found = [*regex.finditer(pattern, text, timeout=_SECONDS)]
        except TimeoutError:
            continue
        if found:
            last = found[-1]
            marked = last[1] if last.re.groups else None
            return str(last[0] if marked is None else marked).strip()
    return None


def same(one: str | None, other: str | None, *, as_numbers: bool) -> bool:
    """Whether two extracted texts are equal; what was not found equals nothing."""
    if one is None or other is None:
        return False
    if as_numbers:
        numbers = (_number(one), _number(other))
        return numbers[0] is not None and numbers[0] == numbers[1]
    return one == other


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "").strip(" $￥¥%。."))
    except ValueError:
        return None
