"""Where in the text of a conversation the assistant speaks: found by marks in what is rendered.

An answer begins where the text of its question ends, and ends with the stop after it. Templates may write
an answer in another way once the conversation goes on: Qwen3 leaves out its thoughts then. Such an answer
is none that the model would have given, and is not learned from that text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tunesmith.core.errors import ModelError
from tunesmith.models import templates, turns
from tunesmith.models.turns import Talk

# Characters at the end of a question that show where it ends in another text.
_END = 4

# A rendering: the conversation, and whether it is to be answered.
Render = Callable[[Talk, bool], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One turn of the assistant in a text, in characters.

    The model begins to speak at `begin` and stops at `end`, after the stop; without one at `said`.
    """

    turn: int
    begin: int
    said: int
    end: int


class Answers:
    """The answers in the text of one conversation under one template, whose stops are `stops`."""

    def __init__(self, talk: Talk, *, template: str, stops: Sequence[str], render: Render) -> None:
        self._talk = talk
        self._template = template
        self._stops = stops
        self._render = render
        self._asked: dict[int, str] = {}

    def find(self, *, answer: bool) -> tuple[str, list[Answer]]:
        """The text of the conversation and the answers in it, in order.

        Raises:
            ModelError: M10 when the template changes the text of an answer; M30 when it cannot show calls.
        """
        plain, spoken = self._spoken(answer)
        cue = self._cue()
        found: list[Answer] = []
        before = 0
        for turn, (start, said) in spoken.items():
            at = plain.rfind(cue, before, start) if cue else -1
            begin = at + len(cue) if at >= 0 else self._begin(turn, plain, start)
            before = said
            found.append(Answer(turn=turn, begin=begin, said=said, end=self._stop(plain, said)))
        return plain, found

    def composed(self) -> tuple[str, list[Answer]]:
        """The text of the last question as it is asked, with its answer put behind it.

        For templates that write the question in another way once it is answered: Mistral's shows the system
        message in the last question only.

        Raises:
            ModelError: M73 when the answer does not follow what ends the question.
        """
        plain, found = self.find(answer=False)
        last = found[-1]
        asked = Answers(
            self._talk.first(last.turn), template=self._template, stops=self._stops, render=self._render
        )
        text, earlier = asked.find(answer=True)
        # What ends the question stands before the answer too; only calls have more than space between.
        question = text.rstrip()
        end = plain.rfind(question[-_END:], 0, last.begin) + _END
        is_next = "tool_calls" in self._talk.turns[last.turn] or not plain[end : last.begin].strip()
        if end < _END or not is_next or not plain.startswith(text[len(question) :], end):
            raise ModelError("M73", template=templates.name_of(self._template))
        at = end + len(text) - len(question)
        shift = len(text) - at
        answer = Answer(turn=last.turn, begin=len(text), said=last.said + shift, end=last.end + shift)
        return text + plain[at : last.end], [*earlier, answer]

    def _begin(self, turn: int, plain: str, start: int) -> int:
        """Where an answer begins under a template that adds no cue before it, or not this one."""
        asked = self._question(turn)
        return len(asked) if plain.startswith(asked) else start

    def _question(self, turns: int) -> str:
        """The text after which the turn of this number is to be spoken."""
        if turns not in self._asked:
            self._asked[turns] = self._render(self._talk.first(turns), True)
        return self._asked[turns]

    def as_served(self, plain: str, answer: Answer) -> bool:
        """Whether a text has an answer, and all before it, as they were when the answer was given."""
        if plain[: answer.begin] != self._question(answer.turn):
            return False
        is_last = answer.turn == len(self._talk.turns) - 1
        if is_last or not templates.looks_ahead(self._template):
            return True
        return self._render(self._talk.first(answer.turn + 1), False).startswith(plain[: answer.end])

    def _cue(self) -> str:
        """What the template adds to a conversation that is to be answered."""
        roles = [turn["role"] for turn in self._talk.turns]
        last = max((i for i, role in enumerate(roles) if role != "assistant"), default=-1)
        asked, open_end = self._question(last + 1), self._render(self._talk.first(last + 1), False)
        return asked[len(open_end) :] if asked.startswith(open_end) else ""

    def _stop(self, text: str, said: int) -> int:
        """Where the stop ends that follows what was said, maybe after some space; else where that ended."""
        at = len(text) - len(text[said:].lstrip())
        return next((at + len(stop) for stop in self._stops if text.startswith(stop, at)), said)

    def _spoken(self, answer: bool) -> tuple[str, dict[int, tuple[int, int]]]:
        """The text of a conversation; by the number of each of the assistant's turns, what it says in it."""
        plain, found = turns.spans(self._marked(answer))
        spoken: dict[int, tuple[int, int]] = {}
        for number, turn in enumerate(self._talk.turns):
            mine, found = found[: turns.marks(turn)], found[turns.marks(turn) :]
            if not mine:
                continue
            start, end = mine[0][0], mine[-1][1]
            if "tool_calls" in turn:
                end = self._end_of_calls(self._talk.first(number + 1), plain, end)
            spoken[number] = start, end
        return plain, spoken

    def _end_of_calls(self, talk: Talk, plain: str, position: int) -> int:
        """Where the stop stands after the last call, whose name ends at `position`.

        `talk` is the conversation up to that turn: what follows the name in it is the end of the turn only.
        """
        marked = replace(talk, turns=[turns.mark(turn) for turn in talk.turns])
        rest = self._render(marked, False).rpartition(turns.CLOSE)[2]
        end = min((rest.find(stop) for stop in self._stops if stop in rest), default=0)
        return position + end if plain.startswith(rest[:end], position) else position

    def _marked(self, answer: bool) -> str:
        """The text of the conversation with a mark before and after every answer."""
        talk = self._talk
        plain = self._render(talk, answer)
        count = sum(map(turns.marks, talk.turns))
        for mark in (turns.mark, turns.mark_trimmed, turns.mark_after_thought):
            marked = self._render(replace(talk, turns=[mark(turn) for turn in talk.turns]), answer)
            if turns.unmarked(marked) == plain and turns.is_paired(marked, count):
                return marked
        if talk.calls:
            raise no_tools(self._template, "it leaves out calls, writes them twice, or changes an answer")
        raise ModelError("M10", reason="the template changes the text of an answer")


def no_tools(template: str, reason: str) -> ModelError:
    """The error of a template that cannot show tools."""
    return ModelError("M30", template=templates.name_of(template), reason=reason)


def pieces(found: Sequence[Answer], plain: str, wanted: set[int]) -> list[tuple[str, int]]:
    """A text in the pieces in which it is encoded: each with how many of its characters are learned.

    It is cut where the model begins to speak, so that a question has the same tokens with its answer and
    without. Learned are the answers of the turns in `wanted`.
    """
    cuts = [0, *(answer.begin for answer in found)]
    ends = [0, *(answer.end if answer.turn in wanted else 0 for answer in found)]
    limits = [*cuts[1:], len(plain)]
    return [(plain[a:b], max(0, end - a)) for a, b, end in zip(cuts, limits, ends, strict=True) if b > a]
