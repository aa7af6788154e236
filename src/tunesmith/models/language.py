"""A causal language model ready for use: text in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.core.errors import ModelError
from tunesmith.models import templates
from tunesmith.models import tokenizer as tokenizers
from tunesmith.models.contract import FILE as CONTRACT
from tunesmith.models.contract import TEMPLATE_FILE, TEMPLATES, GenerationDefaults, Message, PromptContract
from tunesmith.models.json_file import read_json
from tunesmith.models.sampling import Sampling
from tunesmith.models.text_stream import TextStream
from tunesmith.models.turns import Tools

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import nn

    from tunesmith.models.attention import Attention

# Bounds of what a file of unknown origin may say about generating.
_LONGEST = 1_048_576
_LEAST = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageModel:
    """A decoder with its tokenizer and prompt contract.

    `context` is the longest sequence in tokens, `task` what it was trained for, if that is known.
    """

    name: str
    module: nn.Module
    tokenizer: Tokenizer
    contract: PromptContract
    context: int
    task: str | None = None
    digest: str = ""
    kind: str = field(default="language", init=False)

    def generate(self, text: str, *, stop: Sequence[str] = (), **settings: Any) -> str:
        """The continuation of `text`.

        `stop` are strings that end it; settings as in `Sampling`: max_new_tokens, temperature, top_p, seed.
        """
        return "".join(self.continuation(text, stop=stop, **settings))

    def continuation(self, text: str, *, stop: Sequence[str] = (), **settings: Any) -> Iterator[str]:
        """The continuation of `text`, in pieces as they are made."""
        ids = prompt_ids(self.tokenizer, text)
        return self._stream(ids, TextStream(self.tokenizer, stops=stop, after=ids), settings)

    def chat(
        self,
        messages: str | Sequence[Message],
        *,
        tools: Tools = None,
        stop: Sequence[str] = (),
        **settings: Any,
    ) -> str:
        """The answer to a conversation, or to one message; with `tools`, it may call them."""
        return "".join(self.stream(messages, tools=tools, stop=stop, **settings))

    def stream(
        self,
        messages: str | Sequence[Message],
        *,
        tools: Tools = None,
        stop: Sequence[str] = (),
        **settings: Any,
    ) -> Iterator[str]:
        """The answer to a conversation, in pieces as they are made."""
        turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
        ids = self.contract.encode(self.tokenizer, turns, tools)
        stops = (*self.contract.text_stops(self.tokenizer), *stop)
        return self._stream(ids, TextStream(self.tokenizer, stops=stops), settings)

    def attention(self, text: str) -> Attention:
        """The tokens of `text` and how much each looks at those before it: [layers, heads, query, key].

        Raises:
            ModelError: M12 when the text is longer than the context; M44 when the model shows no maps.
        """
        from tunesmith.models.attention import Attention, attention_maps, pieces

        ids = prompt_ids(self.tokenizer, text)
        if len(ids) > self.context:
            raise ModelError("M12", name=self.name, tokens=len(ids), context=self.context)
        tokens = pieces(self.tokenizer.encode(text), text)[: len(ids)]
        return Attention(tokens=tuple(tokens), maps=attention_maps(self.module, ids))

    def _stream(self, ids: list[int], text: TextStream, settings: Mapping[str, Any]) -> Iterator[str]:
        from tunesmith.models.decoder import Decoder, run

        if len(ids) >= self.context:
            raise ModelError("M12", name=self.name, tokens=len(ids), context=self.context)
        sampling = self.sampling(room=self.context - len(ids), **settings)
        for token in run(Decoder(self.module, max_batch=1), ids, sampling):
            piece = text.feed(token)
            yield piece.text
            if piece.finish:
                return

    def sampling(self, *, room: int, **settings: Any) -> Sampling:
        """Settings of a request over the contract's defaults; never more new tokens than there is room."""
        defaults = self.contract.generation
        chosen = {
            "max_new_tokens": defaults.max_new_tokens,
            "temperature": defaults.temperature,
            "top_p": defaults.top_p,
            **settings,
        }
        chosen["max_new_tokens"] = min(chosen["max_new_tokens"], room)
        return Sampling(stop_ids=self.contract.stop_ids, **chosen)


def prompt_ids(tokenizer: Tokenizer, text: str) -> list[int]:
    """The ids of a text to be continued: framed as the tokenizer frames it, but not ended."""
    encoding = tokenizer.encode(text)
    ids = list(encoding.ids)
    while len(ids) > 1 and encoding.special_tokens_mask[len(ids) - 1]:
        ids.pop()
    return ids


def contract_of(folder: Path, tokenizer: Tokenizer) -> PromptContract:
    """The contract stored in a folder, else the one its `transformers` files amount to.

    Raises:
        ModelError: M11 when the stored contract is not what was written; M70 when the template does more
            work than any prompt needs.
    """
    made = PromptContract.load(folder) if (folder / CONTRACT).exists() else _declared(folder, tokenizer)
    try:
        # The template is tried out before anything depends on it.
        made.abilities  # noqa: B018
    except ModelError as error:
        raise ModelError("M70", file=folder, **error.problems[0].values) from error
    return made


def _declared(folder: Path, tokenizer: Tokenizer) -> PromptContract:
    """What the files of `transformers` in a folder say."""
    special = tokenizers.special_tokens(folder)
    template = templates.dated(_template(folder, tokenizer))
    turn_end = tokenizers.TURN_END
    eos = special.get("eos_token", "")
    stop = tuple(s for s in (turn_end if turn_end in template else "", eos) if s)
    ids = {tokenizer.token_to_id(s) for s in stop} | set(_declared_eos(folder))
    # Padding is put behind a row and never learned, so it may be the token that ends answers too.
    pad = tokenizer.token_to_id(special.get("pad_token") or eos or "")
    return PromptContract(
        template=template,
        bos=special.get("bos_token", ""),
        eos=eos,
        stop=stop,
        stop_ids=tuple(sorted(i for i in ids if i is not None)),
        pad_id=pad if pad is not None else 0,
        context=_declared_context(folder),
        generation=_declared_generation(folder),
    )


def _template(folder: Path, tokenizer: Tokenizer) -> str:
    file = folder / TEMPLATE_FILE
    if file.exists():
        return file.read_text(encoding="utf-8")
    stored = read_json(folder / "tokenizer_config.json").get("chat_template")
    if isinstance(stored, list):
        named = {entry["name"]: entry["template"] for entry in stored}
        stored = named.get("default")
    if isinstance(stored, str):
        return stored
    turns = (tokenizers.TURN_START, tokenizers.TURN_END)
    has_turns = all(tokenizer.token_to_id(token) is not None for token in turns)
    return TEMPLATES["chatml" if has_turns else "plain"]


def _declared_context(folder: Path) -> int:
    """The positions that a model has, or 0 when its configuration does not say."""
    config = read_json(folder / "config.json")
    found = next((config[key] for key in ("max_position_embeddings", "n_positions") if config.get(key)), 0)
    return found if isinstance(found, int) else 0


def _declared_generation(folder: Path) -> GenerationDefaults:
    """How the model's makers generate; what they do not say, or say out of bounds, is as usual."""
    said = read_json(folder / "generation_config.json")
    usual = GenerationDefaults()

    def within(key: str, low: float, high: float, otherwise: float) -> float:
        value = said.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return otherwise
        return value if low <= value <= high else otherwise

    samples = said.get("do_sample") is True
    return GenerationDefaults(
        max_new_tokens=int(within("max_new_tokens", 1, _LONGEST, usual.max_new_tokens)),
        temperature=within("temperature", 0, 2, 1.0) if samples else usual.temperature,
        top_p=within("top_p", _LEAST, 1, usual.top_p) if samples else usual.top_p,
    )


def _declared_eos(folder: Path) -> list[int]:
    found: list[int] = []
    for name in ("config.json", "generation_config.json"):
        value = read_json(folder / name).get("eos_token_id")
        found += value if isinstance(value, list) else [value] if isinstance(value, int) else []
    return found
