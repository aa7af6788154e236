"""The prompt contract: everything that is put around a user's text, in one hashed file beside the weights.

Training, evaluation, serving and export render and encode conversations through this module only, so a prompt
has the same token ids everywhere. Text is cut where each of the assistant's answers begins and the pieces
are encoded one by one: what the server sends to the model is then a prefix, token for token, of what the
model was trained on, whatever the tokenizer merges. A message that spells out a special token stays text.
An answer may call tools: it is learned from where it begins to the stop token after its last call.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import ModelError
from tunesmith.models import templates, turns
from tunesmith.models.templates import TEMPLATES as TEMPLATES
from tunesmith.models.turns import Message as Message
from tunesmith.models.turns import Talk, Tools

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FILE = "contract.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationDefaults:
    """What a generation does when the request does not say."""

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptContract:
    """Template, system prompt, special tokens, stop ids and generation defaults of a model."""

    template: str
    system: str | None = None
    bos: str = ""
    eos: str = ""
    stop: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()
    pad_id: int = 0
    generation: GenerationDefaults = GenerationDefaults()

    @property
    def digest(self) -> str:
        """The sha256 (hex) of the whole contract."""
        content = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    def render(self, messages: Sequence[Message], tools: Tools = None, *, answer: bool = True) -> str:
        """The text of a conversation; with `answer`, up to where the assistant is to speak.

        Raises:
            ModelError: M10 when the template cannot render these messages; M30 when it is tools that it
                cannot render; M31 when tools or calls are not JSON of that kind.
        """
        return self._render(self._with_system(turns.decoded(messages, tools)), answer)

    def encode(
        self, tokenizer: Tokenizer, messages: Sequence[Message], tools: Tools = None, *, answer: bool = True
    ) -> list[int]:
        """The token ids of a conversation, ready to be answered."""
        talk = self._talk(tokenizer, messages, tools)
        plain, answers = self._answers(talk, answer)
        pieces = self._pieces(talk, plain, answers)
        return [i for piece in pieces for i in tokenizer.encode(piece.text, add_special_tokens=False).ids]

    def encode_training(
        self, tokenizer: Tokenizer, messages: Sequence[Message], tools: Tools = None
    ) -> tuple[list[int], list[bool]]:
        """The token ids of a complete conversation, and which of them the model learns to say.

        Learned are the tokens of each answer, with its calls, and the stop token after it; found by
        character offsets. What tools answered is read only.

        Raises:
            ModelError: M16 when the template ends an answer with nothing the model could stop at; M30 when it
                leaves out tools, calls or results.
        """
        talk = self._talk(tokenizer, messages, tools)
        plain, answers = self._answers(talk, answer=False)
        if not all(self._stop_at(plain, found.end) for found in answers):
            raise ModelError("M16", stops=", ".join(filter(None, {*self.stop, self.eos})) or "-")
        self._require_tools(talk, plain)
        ids: list[int] = []
        learned: list[bool] = []
        for piece in self._pieces(talk, plain, answers):
            encoding = tokenizer.encode(piece.text, add_special_tokens=False)
            ids.extend(encoding.ids)
            learned.extend(start < piece.learned for start, _ in encoding.offsets)
        return ids, learned

    def _talk(self, tokenizer: Tokenizer, messages: Sequence[Message], tools: Tools) -> Talk:
        """The conversation with its system message, everything that people wrote made harmless."""
        return self._with_system(turns.harmless(turns.decoded(messages, tools), tokenizer))

    def _pieces(self, talk: Talk, plain: str, answers: Sequence[_Answer]) -> list[_Piece]:
        """The text of a conversation, cut where the model begins to speak: where a question's text ends.

        Some templates put more before an answer, an empty thought for instance. The model has to say that too
        when it is asked, so it belongs to the answer.
        """
        cue = self._cue(talk)
        cuts, ends, before = [0], [0], 0
        for answer in answers:
            found = plain.rfind(cue, before, answer.start) if cue else -1
            cuts.append(found + len(cue) if found >= 0 else self._begin(talk, plain, answer))
            ends.append(answer.end + len(self._stop_at(plain, answer.end)))
            before = answer.end
        limits = [*cuts[1:], len(plain)]
        pieces = zip(cuts, limits, ends, strict=True)
        return [_Piece(plain[a:b], max(0, end - a)) for a, b, end in pieces if b > a]

    def _begin(self, talk: Talk, plain: str, answer: _Answer) -> int:
        """Where an answer begins under a template that adds no cue before it."""
        if answer.caller is None:
            return answer.start
        asked = self._render(talk.first(answer.caller), answer=True)
        if not plain.startswith(asked):
            raise self._no_tools("it writes earlier turns in another way after a call")
        return len(asked)

    def _cue(self, talk: Talk) -> str:
        """What the template adds to a conversation that is to be answered."""
        last = max((i for i, turn in enumerate(talk.turns) if turn["role"] != "assistant"), default=-1)
        asked, open_end = (self._render(talk.first(last + 1), answer) for answer in (True, False))
        return asked[len(open_end) :] if asked.startswith(open_end) else ""

    def _stop_at(self, text: str, position: int) -> str:
        """The stop token that stands at a position of a text, if one does."""
        return next((s for s in (*self.stop, self.eos) if s and text.startswith(s, position)), "")

    def _answers(self, talk: Talk, answer: bool) -> tuple[str, list[_Answer]]:
        """The text of a conversation, and where in it the assistant's answers are."""
        plain, found = turns.spans(self._marked(talk, answer))
        if not talk.calls:
            return plain, [_Answer(start, end) for start, end in found]
        if len(found) != sum(map(turns.marks, talk.turns)):
            raise self._no_tools("it leaves out calls, or writes them twice")
        answers: list[_Answer] = []
        for number, turn in enumerate(talk.turns):
            mine, found = found[: turns.marks(turn)], found[turns.marks(turn) :]
            if "tool_calls" in turn:
                end = self._end_of_calls(talk.first(number + 1), plain, mine[-1][1])
                answers.append(_Answer(mine[0][0], end, caller=number))
            else:
                answers += [_Answer(start, end) for start, end in mine]
        return plain, answers

    def _end_of_calls(self, talk: Talk, plain: str, position: int) -> int:
        """Where the stop token stands after the last call, whose name ends at `position`.

        `talk` is the conversation up to that turn: what follows the name in it is the end of the turn only.
        """
        marked = replace(talk, turns=[turns.mark(turn) for turn in talk.turns])
        rest = self._render(marked, answer=False).rpartition(turns.CLOSE)[2]
        ends = [rest.find(s) for s in (*self.stop, self.eos) if s and s in rest]
        end = min(ends, default=0)
        return position + end if plain.startswith(rest[:end], position) else position

    def _marked(self, talk: Talk, answer: bool) -> str:
        """The text of a conversation with a mark before and after every answer."""
        plain = self._render(talk, answer)
        for mark in (turns.mark, turns.mark_trimmed):
            marked = self._render(replace(talk, turns=[mark(turn) for turn in talk.turns]), answer)
            if marked.replace(turns.OPEN, "").replace(turns.CLOSE, "") == plain:
                return marked
        reason = "the template changes the text of an answer"
        raise self._no_tools(reason) if talk.calls else ModelError("M10", reason=reason)

    def _require_tools(self, talk: Talk, plain: str) -> None:
        """Hold the template to show tools and results: its text is another one without them."""
        if talk.tools and self._render(replace(talk, tools=None), answer=False) == plain:
            raise self._no_tools("it leaves out the tools")
        if talk.calls and talk.has_results and self._render(talk.without_results(), answer=False) == plain:
            raise self._no_tools("it leaves out what the tools answered")

    def _no_tools(self, reason: str) -> ModelError:
        return ModelError("M30", template=templates.name_of(self.template), reason=reason)

    def _with_system(self, talk: Talk) -> Talk:
        if self.system and (not talk.turns or talk.turns[0]["role"] != "system"):
            return replace(talk, turns=[{"role": "system", "content": self.system}, *talk.turns])
        return talk

    def _render(self, talk: Talk, answer: bool) -> str:
        try:
            return templates.compiled(self.template).render(
                messages=talk.turns,
                add_generation_prompt=answer,
                bos_token=self.bos,
                eos_token=self.eos,
                tools=talk.tools,
            )
        except templates.ERRORS as error:
            raise (
                self._no_tools(str(error)) if talk.uses_tools else ModelError("M10", reason=str(error))
            ) from error

    def save(self, folder: Path) -> None:
        """Write contract.json."""
        content = {**asdict(self), "digest": self.digest}
        (folder / FILE).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> PromptContract:
        """Read contract.json.

        Raises:
            ModelError: M11 when it is missing or does not match its own digest.
        """
        path = folder / FILE
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            digest = content.pop("digest")
            content["generation"] = GenerationDefaults(**content["generation"])
            content["stop"], content["stop_ids"] = tuple(content["stop"]), tuple(content["stop_ids"])
            contract = cls(**content)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError("M11", file=path, reason=str(error)) from error
        if contract.digest != digest:
            raise ModelError("M11", file=path, reason="the digest does not match")
        return contract

    def with_template(self, template: str, tokenizer: Tokenizer) -> PromptContract:
        """The contract with another template, whose special tokens become stop tokens beside the eos."""
        special = {t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special}
        stop = tuple(sorted(token for token in special - {self.bos} if token in template))
        stop += (self.eos,) if self.eos and self.eos not in stop else ()
        ids = {i for token in stop if (i := tokenizer.token_to_id(token)) is not None}
        return replace(self, template=template, stop=stop, stop_ids=tuple(sorted(ids)))


@dataclass(frozen=True, slots=True)
class _Answer:
    """From which character to which the assistant speaks, and the number of its turn if that has calls."""

    start: int
    end: int
    caller: int | None = None


@dataclass(frozen=True, slots=True)
class _Piece:
    """Text encoded in one go; its first `learned` characters are an answer and its stop token."""

    text: str
    learned: int
