"""The prompt contract: everything that is put around a user's text, in one hashed file beside the weights.

Training, evaluation, serving and export render and encode conversations through this module only, so a prompt
has the same token ids everywhere. Text is cut where each of the assistant's answers begins and the pieces
are encoded one by one: what the server sends to the model is then a prefix, token for token, of what the
model was trained on, whatever the tokenizer merges. A message that spells out a special token stays text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tunesmith.core.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FILE = "contract.json"
MAX_TEMPLATE = 200_000

# Private-use characters that mark an answer while a template is rendered; they never reach a tokenizer.
_OPEN, _CLOSE = "\uf8f0", "\uf8f1"
# Put into the middle of a special token that stands in somebody's message: invisible, and ends the token.
_JOINER = "\u2060"

Message = Mapping[str, str]

# What the program that a template is can come to, its author being unknown.
_TEMPLATE_ERRORS = (
    TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip

TEMPLATES = {
    "chatml": (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "plain": (
        "{{ bos_token }}{% for message in messages %}"
        "{% if message.role == 'system' %}{{ message.content }}\n"
        "{% elif message.role == 'assistant' %}Assistant:\n{{ message.content }}{{ eos_token }}\n"
        "{% else %}User:\n{{ message.content }}\n{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}Assistant:\n{% endif %}"
    ),
}


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

    def render(self, messages: Sequence[Message], *, answer: bool = True) -> str:
        """The text of a conversation; with `answer`, up to where the assistant is to speak.

        Raises:
            ModelError: M10 when the template cannot render these messages.
        """
        return self._render(self._with_system(messages), answer)

    def encode(self, tokenizer: Tokenizer, messages: Sequence[Message], *, answer: bool = True) -> list[int]:
        """The token ids of a conversation, ready to be answered."""
        pieces = self._pieces(_harmless(messages, tokenizer), answer)
        return [i for piece in pieces for i in tokenizer.encode(piece.text, add_special_tokens=False).ids]

    def encode_training(
        self, tokenizer: Tokenizer, messages: Sequence[Message]
    ) -> tuple[list[int], list[bool]]:
        """The token ids of a complete conversation, and which of them the model learns to say.

        Learned are the tokens of each answer and the stop token after it; found by character offsets.

        Raises:
            ModelError: M16 when the template ends an answer with nothing the model could stop at.
        """
        plain, spans = _spans(self._marked(self._with_system(_harmless(messages, tokenizer)), answer=False))
        if not all(self._stop_at(plain, end) for _, end in spans):
            raise ModelError("M16", stops=", ".join(filter(None, {*self.stop, self.eos})) or "-")
        ids: list[int] = []
        learned: list[bool] = []
        for piece in self._pieces(_harmless(messages, tokenizer), answer=False):
            encoding = tokenizer.encode(piece.text, add_special_tokens=False)
            ids.extend(encoding.ids)
            learned.extend(start < piece.learned for start, _ in encoding.offsets)
        return ids, learned

    def _pieces(self, messages: Sequence[Message], answer: bool) -> list[_Piece]:
        """The text of a conversation, cut where the model begins to speak: where a question's text ends.

        Some templates put more before an answer, an empty thought for instance. The model has to say that too
        when it is asked, so it belongs to the answer.
        """
        turns = self._with_system(messages)
        plain, spans = _spans(self._marked(turns, answer))
        cue = self._cue(turns)
        cuts, ends, before = [0], [0], 0
        for start, end in spans:
            found = plain.rfind(cue, before, start) if cue else -1
            cuts.append(found + len(cue) if found >= 0 else start)
            ends.append(end + len(self._stop_at(plain, end)))
            before = end
        limits = [*cuts[1:], len(plain)]
        pieces = zip(cuts, limits, ends, strict=True)
        return [_Piece(plain[a:b], max(0, end - a)) for a, b, end in pieces if b > a]

    def _cue(self, turns: Sequence[Message]) -> str:
        """What the template adds to a conversation that is to be answered."""
        last = max((i for i, turn in enumerate(turns) if turn["role"] != "assistant"), default=-1)
        asked, open_end = (self._render(turns[: last + 1], answer) for answer in (True, False))
        return asked[len(open_end) :] if asked.startswith(open_end) else ""

    def _stop_at(self, text: str, position: int) -> str:
        """The stop token that stands at a position of a text, if one does."""
        return next((s for s in (*self.stop, self.eos) if s and text.startswith(s, position)), "")

    def _marked(self, messages: Sequence[Message], answer: bool) -> str:
        """The text of a conversation with a mark before and after every answer."""
        plain = self._render(messages, answer)
        for mark in (_mark, _mark_trimmed):
            marked = self._render([mark(message) for message in messages], answer)
            if marked.replace(_OPEN, "").replace(_CLOSE, "") == plain:
                return marked
        raise ModelError("M10", reason="the template changes the text of an answer")

    def _with_system(self, messages: Sequence[Message]) -> list[Message]:
        if self.system and (not messages or messages[0]["role"] != "system"):
            return [{"role": "system", "content": self.system}, *messages]
        return list(messages)

    def _render(self, messages: Sequence[Message], answer: bool) -> str:
        try:
            return _compiled(self.template).render(
                messages=messages,
                add_generation_prompt=answer,
                bos_token=self.bos,
                eos_token=self.eos,
                tools=None,
            )
        except _TEMPLATE_ERRORS as error:
            raise ModelError("M10", reason=str(error)) from error

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
class _Piece:
    """Text encoded in one go; its first `learned` characters are an answer and its stop token."""

    text: str
    learned: int


def _harmless(messages: Sequence[Message], tokenizer: Tokenizer) -> list[Message]:
    """The messages with everything taken apart that would end a turn, begin another, or mark an answer."""
    special = {t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special}
    forbidden = dict.fromkeys((_OPEN, _CLOSE), "")
    forbidden |= {token: token[:1] + _JOINER + token[1:] for token in special if len(token) > 1}
    return [{**message, "content": _replace(message["content"], forbidden)} for message in messages]


def _replace(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        if old in text:
            text = text.replace(old, new)
    return text


def _spans(marked: str) -> tuple[str, list[tuple[int, int]]]:
    """A text without its marks, and where in it each answer begins and ends."""
    plain, *answers = marked.split(_OPEN)
    spans: list[tuple[int, int]] = []
    for text in answers:
        content, _, after = text.partition(_CLOSE)
        spans.append((len(plain), len(plain) + len(content)))
        plain += content + after
    return plain, spans


def _mark(message: Message) -> Message:
    if message["role"] != "assistant":
        return message
    return {**message, "content": f"{_OPEN}{message['content']}{_CLOSE}"}


def _mark_trimmed(message: Message) -> Message:
    """The marks inside surrounding whitespace, for templates that trim it off."""
    content = message["content"]
    inner = content.strip()
    marked = _mark({**message, "content": inner})
    return {**message, "content": content.replace(inner, marked["content"], 1)}


@lru_cache(maxsize=32)
def _compiled(template: str) -> Template:
    if len(template) > MAX_TEMPLATE:
        raise ModelError("M10", reason=f"the template is longer than {MAX_TEMPLATE} characters")
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _raise_exception
    return environment.from_string(template)


def _raise_exception(message: str) -> None:
    raise TemplateError(message)
