"""An encoder-decoder ready for use: texts in, other texts out.

The encoder reads each text once; the decoder writes by beam search, of which one beam is greedy decoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tunesmith.models.classifier import Row, batches_by_length, pad
from tunesmith.models.encoding import encode, truncate

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tunesmith.models.attention import EncoderDecoderAttention

_TOKENS_AT_ONCE = 4096
_NEVER = float("-inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Translator:
    """An encoder-decoder with its tokenizer; `context` is the longest text in tokens, on either side."""

    name: str
    module: nn.Module
    tokenizer: Tokenizer
    context: int
    task: str | None = None
    digest: str = ""
    kind: str = field(default="encoder_decoder", init=False)

    def translate(
        self, texts: str | Sequence[str], *, beams: int = 4, length_penalty: float = 1.0
    ) -> list[str]:
        """What the model writes for each text; longer texts are cut to the context.

        Of `beams` candidates the one is taken whose log-probability, divided by its length to the power of
        `length_penalty` (Wu et al. 2016), is highest.
        """
        given = [texts] if isinstance(texts, str) else texts
        rows = [truncate(encoded, self.context)[0] for encoded in encode(self.tokenizer, given)]
        written = write(self.module, rows, context=self.context, beams=beams, length_penalty=length_penalty)
        return decode(self.tokenizer, written)

    def attention(self, text: str) -> EncoderDecoderAttention:
        """How much the tokens of `text`, cut to the context, and of its translation look at each other.

        Raises:
            ModelError: M44 when the model shows no maps.
        """
        from tunesmith.models.attention import EncoderDecoderAttention, attention_maps

        ids = truncate(encode(self.tokenizer, [text])[0], self.context)[0]
        target = [start_id(self.module.config), *write(self.module, [ids], context=self.context)[0]]
        source_tokens, target_tokens = (
            tuple(self.tokenizer.decode([i], skip_special_tokens=False) for i in side)
            for side in (ids, target)
        )
        maps = attention_maps(self.module, ids, target)
        return EncoderDecoderAttention(source=source_tokens, target=target_tokens, maps=maps)


def decode(tokenizer: Tokenizer, rows: Sequence[Sequence[int]]) -> list[str]:
    """The texts of token ids, without special tokens and the spaces around them."""
    return [text.strip() for text in tokenizer.decode_batch([list(row) for row in rows])]


def start_id(config: Any) -> int:
    """The token that a decoder's input begins with."""
    names = ("decoder_start_token_id", "bos_token_id", "pad_token_id")
    return next((found for name in names if isinstance(found := getattr(config, name, None), int)), 0)


def end_id(config: Any) -> int | None:
    """The token that ends what a decoder writes, if the model has one."""
    found = getattr(config, "eos_token_id", None)
    return found[0] if isinstance(found, list) else found


def write(
    module: nn.Module,
    rows: Sequence[Row],
    *,
    context: int,
    beams: int = 1,
    length_penalty: float = 1.0,
) -> list[list[int]]:
    """The ids that a model writes for the ids of each row, without those that begin and end them.

    Rows are computed in batches of similar length, and written at most twice as long as they are, and a bit.
    """
    found: dict[int, list[int]] = {}
    module.eval()
    with torch.inference_mode():
        for batch in batches_by_length([len(row) for row in rows], max(1, _TOKENS_AT_ONCE // beams)):
            ids, mask = pad([rows[i] for i in batch])
            longest = min(context, 2 * ids.shape[1] + 16)
            written = _search(module, ids, mask, longest, beams, length_penalty)
            found.update(zip(batch, written, strict=True))
    return [found[i] for i in range(len(rows))]


def _search(
    module: Any, ids: Tensor, mask: Tensor, longest: int, beams: int, length_penalty: float
) -> list[list[int]]:
    """Beam search for a batch [b, s]; every sequence has its beams beside each other in rows [b * beams]."""
    batch, start, end = len(ids), start_id(module.config), end_id(module.config)
    reader = module.get_encoder()
    read = reader(input_ids=ids, attention_mask=mask)
    read.last_hidden_state = read.last_hidden_state.repeat_interleave(beams, dim=0)
    mask = mask.repeat_interleave(beams, dim=0)
    tokens = torch.full((batch * beams, 1), start)
    # All beams begin alike: only the first of each counts until they differ.
    scores = torch.tensor([0.0] + [_NEVER] * (beams - 1)).repeat(batch, 1)  # [b, beams]
    lengths = torch.zeros(batch, beams)
    done = torch.zeros(batch, beams, dtype=torch.bool)
    for _ in range(longest - 1):
        logits = module(encoder_outputs=read, attention_mask=mask, decoder_input_ids=tokens, use_cache=False)
        step = _step(logits.logits[:, -1].float(), module.config, end, done)  # [b, beams, v]
        grown = (lengths + ~done)[..., None]
        ranked = (scores[..., None] + step) / grown.clamp(min=1) ** length_penalty
        best = ranked.flatten(1).topk(beams).indices  # [b, beams]
        beam, token = best // step.shape[-1], best % step.shape[-1]
        scores = (scores[..., None] + step).flatten(1).gather(1, best)
        lengths = grown[..., 0].gather(1, beam)
        done = done.gather(1, beam)
        rows = (torch.arange(batch)[:, None] * beams + beam).flatten()
        tokens = torch.cat([tokens[rows], token.flatten()[:, None]], dim=1)
        done |= token == end
        if bool(done.all()):
            break
    return [_until(row[1:], end) for row in tokens.view(batch, beams, -1)[:, 0].tolist()]


def _step(logits: Tensor, config: Any, end: int | None, done: Tensor) -> Tensor:
    """Log-probabilities [b, beams, v] of the next token; what is done only repeats its end, for nothing."""
    pad_id = getattr(config, "pad_token_id", None)
    if pad_id is not None and pad_id != end:
        logits[:, pad_id] = _NEVER
    step = logits.log_softmax(-1).view(*done.shape, -1)
    if end is not None:
        step[done] = _NEVER
        step[..., end].masked_fill_(done, 0.0)
    return step


def _until(row: list[int], end: int | None) -> list[int]:
    """The ids before the end."""
    return row[: row.index(end)] if end in row else row
