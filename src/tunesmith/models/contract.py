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
from tunesmith.models import abilities, answers, pieces, templates, turns
from tunesmith.models.abilities import ROLES, Abilities
from tunesmith.models.answers import Answer, Answers
from tunesmith.models.templates import TEMPLATES as TEMPLATES
from tunesmith.models.turns import Message as Message
from tunesmith.models.turns import Talk, Tools

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FILE = "contract.json"
TEMPLATE_FILE = "chat_template.jinja"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationDefaults:
    """What a generation does when the request does not say."""

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptContract:
    """Template, system prompt, special tokens, stops, context and generation defaults of a model.

    `stop` are the texts that end an answer; those that are tokens have their ids in `stop_ids`. `context` is
    the longest sequence in tokens, 0 when it is not known.
    """

    template: str
    system: str | None = None
    bos: str = ""
    eos: str = ""
    stop: tuple[str, ...] = ()
    stop_ids: tuple[int, ...] = ()
    pad_id: int = 0
    context: int = 0
    generation: GenerationDefaults = GenerationDefaults()

    @property
    def digest(self) -> str:
        """The sha256 (hex) of the whole contract."""
        content = json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def abilities(self) -> Abilities:
        """Which roles and tools the template shows."""
        return abilities.of(self.template, self.bos, self.eos)

    def text_stops(self, tokenizer: Tokenizer) -> tuple[str, ...]:
        """The stops that are no tokens: generating ends where they stand in the text."""
        return tuple(stop for stop in self.stop if stop and tokenizer.token_to_id(stop) is None)

    def render(self, messages: Sequence[Message], tools: Tools = None, *, answer: bool = True) -> str:
        """The text of a conversation; with `answer`, up to where the assistant is to speak.

        Raises:
            ModelError: M10 when the template cannot render these messages; M30 when it cannot show tools,
                calls or results; M31 when tools or calls are not JSON of that kind; M70 when it does more
                than any prompt needs; M71 when it does not show messages of a role.
        """
        return self._render(self._completed(turns.decoded(messages, tools)), answer)

    def talk(self, tokenizer: Tokenizer, messages: Sequence[Message], tools: Tools = None) -> Talk:
        """What the template is given: with the system message, and everything people wrote made harmless.

        Raises:
            ModelError: M31, M71 as `render`.
        """
        return self._completed(turns.harmless(turns.decoded(messages, tools), tokenizer))

    def encode(
        self, tokenizer: Tokenizer, messages: Sequence[Message], tools: Tools = None, *, answer: bool = True
    ) -> list[int]:
        """The token ids of a conversation, ready to be answered.

        Raises:
            ModelError: as `render`.
        """
        plain, found = self._answers(self.talk(tokenizer, messages, tools)).find(answer=answer)
        return pieces.encode(tokenizer, answers.pieces(found, plain, set()))[0]

    def encode_training(
        self, tokenizer: Tokenizer, messages: Sequence[Message], tools: Tools = None
    ) -> list[tuple[list[int], list[bool]]]:
        """The token ids of a complete conversation, and which of them the model learns to say.

        Learned are the tokens of each answer, with its calls, and the stop after it; found by character
        offsets. What tools answered is read only. There is a further pair for each answer that the template
        writes in another way once the conversation goes on: it is learned as the end of its own conversation,
        where it stands as the model would say it, and is only read elsewhere.

        Raises:
            ModelError: as `render`; M16 when the template ends an answer with nothing the model could stop
                at; M73 when an answer does not begin as the template asks for it.
        """
        talk = self.talk(tokenizer, messages, tools)
        left = {number for number, turn in enumerate(talk.turns) if turn["role"] == "assistant"}
        parts = self._learned(talk, left)
        made = [pieces.encode(tokenizer, parts)] if parts else []
        while left:
            last = talk.first(max(left) + 1)
            parts = self._learned(last, left) or self._composed(last, left)
            made.append(pieces.encode(tokenizer, parts))
        return made

    def _learned(self, talk: Talk, left: set[int]) -> list[tuple[str, int]]:
        """The pieces of a conversation's text, none if nothing is learned; what is leaves `left`."""
        reading = self._answers(talk)
        plain, found = reading.find(answer=False)
        wanted = {one.turn for one in found if one.turn in left and reading.as_served(plain, one)}
        return self._taken(plain, found, wanted, left)

    def _composed(self, talk: Talk, left: set[int]) -> list[tuple[str, int]]:
        """The pieces of a conversation whose template changes the last question once it is answered."""
        plain, found = self._answers(talk).composed()
        return self._taken(plain, found, {found[-1].turn}, left)

    def _taken(
        self, plain: str, found: Sequence[Answer], wanted: set[int], left: set[int]
    ) -> list[tuple[str, int]]:
        if any(one.end == one.said for one in found if one.turn in wanted):
            raise ModelError("M16", stops=", ".join(self._stops) or "-")
        left -= wanted
        return answers.pieces(found, plain, wanted) if wanted else []

    @property
    def _stops(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(stop for stop in (*self.stop, self.eos) if stop))

    def _answers(self, talk: Talk) -> Answers:
        return Answers(talk, template=self.template, stops=self._stops, render=self._render)

    def _completed(self, talk: Talk) -> Talk:
        """The talk with its system message and the ids of its calls, if the template has to have them."""
        if self.system and (not talk.turns or talk.turns[0]["role"] != "system"):
            talk = replace(talk, turns=[{"role": "system", "content": self.system}, *talk.turns])
        # A template that shows not even a question fails in a way of its own.
        if "user" in self.abilities.roles:
            self._require(talk)
        return turns.numbered(talk) if self.abilities.call_ids else talk

    def _require(self, talk: Talk) -> None:
        """Hold the template to show the roles, tools and calls of a conversation."""
        roles = self.abilities.roles
        if talk.tools and not self.abilities.tools:
            raise answers.no_tools(self.template, "it leaves out the tools")
        if "tool" not in roles and (talk.calls or any(turn["role"] == "tool" for turn in talk.turns)):
            raise answers.no_tools(self.template, "it leaves out calls or what the tools answered")
        missing = next((t["role"] for t in talk.turns if t["role"] in ROLES and t["role"] not in roles), None)
        if missing:
            name, known = templates.name_of(self.template), ", ".join(roles)
            raise ModelError("M71", template=name, role=missing, known=known)

    def _render(self, talk: Talk, answer: bool) -> str:
        try:
            return templates.render(
                self.template,
                messages=talk.turns,
                add_generation_prompt=answer,
                bos_token=self.bos,
                eos_token=self.eos,
                tools=talk.tools,
                documents=None,
            )
        except templates.ERRORS as error:
            if talk.uses_tools:
                raise answers.no_tools(self.template, str(error)) from error
            raise ModelError("M10", reason=str(error)) from error

    def save(self, folder: Path) -> None:
        """Write contract.json, and the template as `transformers` reads it."""
        content = {**asdict(self), "digest": self.digest}
        (folder / FILE).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        (folder / TEMPLATE_FILE).write_text(self.template, encoding="utf-8", newline="")

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
        template = templates.dated(template)
        special = {t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special}
        stop = tuple(sorted(token for token in special - {self.bos} if token in template))
        stop += (self.eos,) if self.eos and self.eos not in stop else ()
        ids = {i for token in stop if (i := tokenizer.token_to_id(token)) is not None}
        return replace(self, template=template, stop=stop, stop_ids=tuple(sorted(ids)))
