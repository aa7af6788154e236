"""Proof that a model's prompt is the same wherever it is made: token ids of ready conversations, compared.

Training encodes them as a task does, evaluation as the loaded model does, serving from a request as it
arrives, and export is what `transformers` makes of the saved tokenizer and chat template.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import ModelError, Problem
from tunesmith.models import card, tokenizer
from tunesmith.models.contract import FILE, PromptContract
from tunesmith.models.language import contract_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tunesmith.models.turns import Message

Ids = list[int]
_AROUND = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What was compared: conversations, the prompts in them, their tokens, and what the template cannot show.

    `problem` is the first difference, if there is one.
    """

    conversations: int
    prompts: int
    tokens: int
    refused: dict[str, str]
    problem: Problem | None = None

    def as_dict(self) -> dict[str, Any]:
        """The form of `models verify --json`."""
        counts = {"conversations": self.conversations, "prompts": self.prompts, "tokens": self.tokens}
        return {"same": self.problem is None, **counts, "refused": self.refused}


def conversations() -> list[dict[str, Any]]:
    """The ready conversations: each a `name`, `messages` and maybe `tools`."""
    text = (files("tunesmith.models") / "conversations.json").read_text(encoding="utf-8")
    made: list[dict[str, Any]] = json.loads(text)
    return made


def contract(folder: Path) -> Agreement:
    """Compare the paths of a language model in a folder.

    Raises:
        ModelError: M05, M11 when the folder has no usable tokenizer or contract; M74 when `transformers`
            cannot read what was saved.
    """
    tokens = tokenizer.load(folder)
    made = contract_of(folder, tokens)
    comparison = _Comparison(folder.name, made, tokens, _Exported(folder, made, tokens))
    refused: dict[str, str] = {}
    compared = 0
    for talk in conversations():
        try:
            comparison.compare(talk)
        except ModelError as error:
            if error.problems[0].code not in ("M10", "M30", "M71"):
                raise
            refused[talk["name"]] = error.problems[0].code
        else:
            compared += 1
    return Agreement(
        conversations=compared,
        prompts=comparison.prompts,
        tokens=comparison.tokens,
        refused=refused,
        problem=comparison.problem(compared),
    )


class _Comparison:
    """Counts what is compared, and keeps what differs."""

    def __init__(self, name: str, made: PromptContract, tokens: Tokenizer, exported: _Exported) -> None:
        self._name = name
        self._contract = made
        self._tokenizer = tokens
        self._exported = exported
        self._different: dict[str, tuple[str, Ids, Ids]] = {}
        self.prompts = 0
        self.tokens = 0

    def compare(self, talk: dict[str, Any]) -> None:
        """Hold the prompts and the whole of a conversation against each other on all paths."""
        messages, tools = talk["messages"], talk.get("tools")
        trained = _trained(self._contract, self._tokenizer, talk)
        whole = self._contract.talk(self._tokenizer, messages, tools)
        ids = self._contract.encode(self._tokenizer, messages, tools, answer=False)
        self._same(talk, "export", ids, self._exported(whole.turns, whole.tools, answer=False))
        extra = len(whole.turns) - len(messages)
        for number, message in enumerate(messages):
            if message["role"] != "assistant":
                continue
            asked = messages[:number]
            prompt = self._contract.encode(self._tokenizer, asked, tools)
            begun = [ids[: len(prompt)] for ids, learned in trained if _begins(learned, len(prompt))]
            self._same(talk, "evaluation", next(iter(begun), []), prompt)
            self._same(talk, "serving", prompt, _served(self._contract, self._tokenizer, asked, tools))
            turns = whole.turns[: number + extra]
            self._same(talk, "export", prompt, self._exported(turns, whole.tools, answer=True))
            self.prompts += 1
        self.tokens += sum(len(ids) for ids, _ in trained)

    def _same(self, talk: dict[str, Any], path: str, expected: Ids, found: Ids) -> None:
        if expected != found:
            self._different.setdefault(talk["name"], (path, expected, found))

    def problem(self, total: int) -> Problem | None:
        """The first difference, as a problem."""
        if not self._different:
            return None
        talk, (path, expected, found) = next(iter(self._different.items()))
        pairs = zip([*expected, None], [*found, None], strict=False)
        at = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(expected), len(found)))
        values = {
            "name": self._name, "path": path, "count": len(self._different), "total": total, "talk": talk,
            "position": at, "expected": self._around(expected, at), "found": self._around(found, at),
        }  # fmt: skip
        return Problem(code="M72", values=values)

    def _around(self, ids: Ids, at: int) -> str:
        return repr(self._tokenizer.decode(ids[max(0, at - _AROUND) : at + 2], skip_special_tokens=False))


def _begins(learned: Sequence[bool], at: int) -> bool:
    """Whether something that is learned begins at this token."""
    return at < len(learned) and learned[at] and not (at and learned[at - 1])


def _trained(made: PromptContract, tokens: Tokenizer, talk: dict[str, Any]) -> list[tuple[Ids, list[bool]]]:
    """What the task `chat` makes of a row."""
    import polars as pl
    from torch import nn

    from tunesmith.tasks.chat import Chat
    from tunesmith.tasks.task import Learner

    unbounded = card.Card(kind="language", context=2**31)
    module = nn.Identity()
    learner = Learner(module=module, backbone=module, tokenizer=tokens, card=unbounded, contract=made)
    rows = [{**message, "tool_calls": _text(message.get("tool_calls"))} for message in talk["messages"]]
    frame = pl.DataFrame({"_row": [0], "messages": [rows], "tools": [_text(talk.get("tools"))]})
    return [(e.ids.tolist(), e.target.tolist()) for e in Chat().encode(frame, learner)[0]]  # type: ignore[union-attr]


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _served(made: PromptContract, tokens: Tokenizer, messages: Sequence[Message], tools: Any) -> Ids:
    """What a request becomes: what it says goes through its schema, as far as that knows tools."""
    from tunesmith.serve.schemas import ChatMessage

    plain: list[Message] = [
        m if m["role"] == "tool" or "tool_calls" in m else ChatMessage.model_validate(m).plain()
        for m in messages
    ]
    return made.encode(tokens, plain, tools)


class _Exported:
    """What `transformers` makes of conversations with the files of a folder."""

    def __init__(self, folder: Path, made: PromptContract, tokens: Tokenizer) -> None:
        if (folder / FILE).exists():
            self._tokenizer = _loaded(folder)
            return
        # A folder from elsewhere is exported with a contract.
        with tempfile.TemporaryDirectory() as place:
            special = {"bos_token": made.bos, "eos_token": made.eos}
            tokenizer.save(tokens, Path(place), context=made.context, special=special)
            made.save(Path(place))
            self._tokenizer = _loaded(Path(place))

    def __call__(self, turns: Sequence[Message], tools: Any, *, answer: bool) -> Ids:
        found = self._tokenizer.apply_chat_template(
            list(turns), tools=tools, add_generation_prompt=answer, return_dict=True
        )
        return list(found["input_ids"])


def _loaded(folder: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        loaded = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        loaded.get_chat_template()
        # Only for a warning, which means nothing for texts that no model reads.
        loaded.model_max_length = 2**31
    except (OSError, ValueError, KeyError) as error:
        raise ModelError("M74", file=folder, reason=str(error).splitlines()[0]) from error
    return loaded
