"""The reference Transformer behind the interface of `transformers`, so that it is used like any other family.

Importing this module makes its kinds known to `AutoConfig` and the `AutoModel` classes.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSeq2SeqLM, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

from tunesmith.models.transformer import EncoderDecoder, Size


class ReferenceConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """The sizes of a reference model, under the names that `transformers` uses."""

    vocab_size: int = 8192
    hidden_size: int = 256
    num_hidden_layers: int = 4
    num_attention_heads: int = 4
    max_position_embeddings: int = 512
    dropout: float = 0.1
    learned_positions: bool = False
    tie_word_embeddings: bool = True
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | None = None

    @property
    def size(self) -> Size:
        """The same under the names of `models.transformer`."""
        return Size(
            vocab=self.vocab_size,
            width=self.hidden_size,
            heads=self.num_attention_heads,
            layers=self.num_hidden_layers,
            context=self.max_position_embeddings,
            dropout=self.dropout,
            learned_positions=self.learned_positions,
        )


class EncoderDecoderConfig(ReferenceConfig):  # type: ignore[no-untyped-call]
    """An encoder and a decoder of `num_hidden_layers` each."""

    model_type = "tunesmith_transformer"

    is_encoder_decoder: bool = True
    decoder_start_token_id: int | None = None


class ReferenceModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """What the reference models share: their modules initialise themselves."""

    config_class: Any = ReferenceConfig

    def _init_weights(self, module: nn.Module) -> None:
        """Nothing: see `models.transformer`."""


class ReferenceForSeq2SeqLM(ReferenceModel):
    """The encoder-decoder."""

    config_class = EncoderDecoderConfig
    main_input_name = "input_ids"

    def __init__(self, config: EncoderDecoderConfig) -> None:
        super().__init__(config)
        self.model = EncoderDecoder(config.size)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        encoder_outputs: BaseModelOutput | None = None,
        **_: Any,
    ) -> Seq2SeqLMOutput:
        """Logits [b, t, v] after each of decoder_input_ids [b, t].

        input_ids, attention_mask [b, s]; `encoder_outputs`, what `get_encoder()` made of them, takes the
        place of the ids.
        """
        read = encoder_outputs or self.read(input_ids, attention_mask)
        logits = self.model.write(decoder_input_ids, read.last_hidden_state, attention_mask)
        return Seq2SeqLMOutput(logits=logits, encoder_last_hidden_state=read.last_hidden_state)

    def read(
        self, input_ids: Tensor | None, attention_mask: Tensor | None = None, **_: Any
    ) -> BaseModelOutput:
        """What the encoder makes of input_ids [b, s]: `last_hidden_state` [b, s, d]."""
        return BaseModelOutput(last_hidden_state=self.model.read(input_ids, attention_mask))

    def get_encoder(self, *_: Any, **__: Any) -> Any:
        """The encoder, as a function."""
        return self.read

    def get_input_embeddings(self) -> nn.Module:
        """The table of token vectors, which makes logits too."""
        tokens: nn.Module = self.model.embedding.tokens
        return tokens


AutoConfig.register(EncoderDecoderConfig.model_type, EncoderDecoderConfig, exist_ok=True)
AutoModelForSeq2SeqLM.register(EncoderDecoderConfig, ReferenceForSeq2SeqLM, exist_ok=True)
