"""Answers taken from texts: metrics of SQuAD and CMRC, examples, and the sentence most like a question."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from tunesmith.core.errors import DataError
from tunesmith.eval.classes import clip
from tunesmith.eval.outcome import AnswerOutcome, Outcome, TextOutcome
from tunesmith.eval.sums import Sums, hits, mean, summed
from tunesmith.language.units import units

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_SENTENCE = re.compile(r"[^。！？!?.\n]+[。！？!?.\n]*")
# What the script of CMRC 2018 takes for punctuation.
_SIGNS = frozenset("-:_*^/\\~`+=，。：？！“”；’《》……·、「」（）－～『』")


@summed
def exact_match(outcome: Outcome) -> Sums:
    """Share of questions whose answer is one of those in the data but for case and punctuation, 0 to 1.

    Texts that were written are held to those in the data in the same way.

    English is normalised as SQuAD does, articles left out too (Rajpurkar et al. 2016), Chinese as CMRC 2018
    does (Cui et al. 2019). Where the data has no answer, none is right.

    Raises:
        DataError: T22 when the outcome has no answers; E03 when it has no rows.
    """
    found = answered(_as_answers(outcome), "exact_match")
    words = _words(found)
    return hits(_best(found, lambda given, wanted: float(words(given) == words(wanted))))


def _as_answers(outcome: Outcome) -> Outcome:
    """Texts that were written as answers of which one is right."""
    if not isinstance(outcome, TextOutcome):
        return outcome
    return AnswerOutcome(
        questions=outcome.targets,
        contexts=outcome.sources,
        targets=[[target] for target in outcome.targets],
        predicted=outcome.predicted,
        rows=outcome.rows,
    )


@summed
def answer_f1(outcome: Outcome) -> Sums:
    """How much answers have in common with the best of those in the data, 0 to 1.

    It is words in English, and in Chinese the longest common run of characters, as the scripts of SQuAD and
    of CMRC 2018 count.

    Raises:
        DataError: T22 when the outcome has no answers; E03 when it has no rows.
    """
    found = answered(outcome, "answer_f1")
    words, common = _words(found), _run if _is_chinese(found) else _shared
    return mean(_best(found, lambda given, wanted: _f1(words(given), words(wanted), common)))


def answered(outcome: Outcome, metric: str) -> AnswerOutcome:
    """The outcome, if it is one of answers and has rows.

    Raises:
        DataError: T22 when it has no answers; E03 when it has no rows.
    """
    if not isinstance(outcome, AnswerOutcome):
        raise DataError("T22", metric=metric)
    if not len(outcome.rows):
        raise DataError("E03", metric=metric)
    return outcome


def _best(outcome: AnswerOutcome, score: Callable[[str, str], float]) -> list[float]:
    """The score of each answer beside the right one that it is nearest to."""
    rows = zip(outcome.predicted, outcome.targets, strict=True)
    return [max(score(given, wanted) for wanted in targets or ("",)) for given, targets in rows]


def _words(outcome: AnswerOutcome) -> Callable[[str], list[str]]:
    return _chinese if _is_chinese(outcome) else _english


def _is_chinese(outcome: AnswerOutcome) -> bool:
    """Whether most letters of the questions are Chinese."""
    letters = [c for question in outcome.questions for c in question if c.isalpha()]
    return sum("㐀" <= c <= "鿿" for c in letters) * 2 > len(letters)


def _english(text: str) -> list[str]:
    """Words in lower case without punctuation and articles."""
    bare = "".join(c for c in text.lower() if c not in string.punctuation)
    return _ARTICLES.sub(" ", bare).split()


def _chinese(text: str) -> list[str]:
    """Characters, and words of other scripts, in lower case without punctuation."""
    bare = "".join(c for c in text.lower().strip() if c not in _SIGNS)
    return [bare[start:end] for start, end in units(bare)]


def _f1(given: Sequence[str], wanted: Sequence[str], common: Callable[..., int]) -> float:
    if not given or not wanted:
        return float(given == wanted)
    return 2 * common(given, wanted) / (len(given) + len(wanted))


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words are in both, wherever they stand."""
    return sum((Counter(one) & Counter(other)).values())


def _run(one: Sequence[str], other: Sequence[str]) -> int:
    """The length of the longest run that is in both."""
    longest, before = 0, [0] * (len(other) + 1)
    for word in one:
        now = [0] * (len(other) + 1)
        for at, same in enumerate(other):
            if word == same:
                now[at + 1] = before[at] + 1
                longest = max(longest, now[at + 1])
        before = now
    return longest


def examples(outcome: AnswerOutcome, count: int = 5) -> list[dict[str, str]]:
    """The first questions, what was answered, and what stands in the data."""
    rows = zip(outcome.questions, outcome.predicted, outcome.targets, strict=True)
    return [
        {"prompt": clip(question), "answer": clip(given) or "-", "expected": " / ".join(wanted) or "-"}
        for (question, given, wanted), _ in zip(rows, range(count), strict=False)
    ]


def nearest_sentence(
    questions: Sequence[str], answers: Sequence[str], beside: AnswerOutcome
) -> AnswerOutcome:
    """Answer with the sentence of the text that has most of the question's words; it learns nothing."""
    rows = zip(beside.questions, beside.contexts, strict=True)
    return replace(beside, predicted=[_nearest(question, context) for question, context in rows])


def _nearest(question: str, context: str) -> str:
    asked = _units(question)
    sentences = _SENTENCE.findall(context) or [context]
    return str(max(sentences, key=lambda sentence: len(asked & _units(sentence)))).strip()


def _units(text: str) -> set[str]:
    return {text[start:end].lower() for start, end in units(text)}
