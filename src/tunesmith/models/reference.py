"""The reference Transformer behind the interface of `transformers`, so that it is used like any other family.

Importing this module makes its kinds known to `AutoConfig` and the `AutoModel` classes.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.modeling_outputs import BaseModelOutput, CausalLMOutput, Seq2SeqLMOutput

from tunesmith.models.transformer import Decoder, Encoder, EncoderDecoder, Size


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


class EncoderConfig(ReferenceConfig):  # type: ignore[no-untyped-call]
    """An encoder."""

    model_type = "tunesmith_transformer_encoder"


class DecoderConfig(ReferenceConfig):  # type: ignore[no-untyped-call]
    """A decoder without a source."""

    model_type = "tunesmith_transformer_decoder"


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


class ReferenceEncoder(ReferenceModel):
    """The encoder."""

    config_class = EncoderConfig

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__(config)
        self.encoder = Encoder(config.size)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> BaseModelOutput:
        """Hidden states of input_ids [b, t]; attention_mask [b, t] is 1 on real tokens."""
        return BaseModelOutput(last_hidden_state=self.encoder(input_ids, attention_mask))

    def get_input_embeddings(self) -> nn.Module:
        """The table of token vectors."""
        return self.encoder.embedding.tokens


class ReferenceDecoder(ReferenceModel):
    """The decoder without its output head."""

    config_class = DecoderConfig
    base_model_prefix = "model"

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__(config)
        self.decoder = Decoder(config.size)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> BaseModelOutput:
        """Hidden states of input_ids [b, t]; padding is on the right, where no real token sees it."""
        return BaseModelOutput(last_hidden_state=self.decoder.read(input_ids))

    def get_input_embeddings(self) -> nn.Module:
        """The table of token vectors, which makes logits too."""
        return self.decoder.embedding.tokens


class ReferenceForCausalLM(ReferenceModel):
    """The decoder; its output head is the table of token vectors."""

    config_class = DecoderConfig
    base_model_prefix = "model"
    _tied_weights_keys: Any = {  # noqa: RUF012  read by the library
        "lm_head.weight": "model.decoder.embedding.tokens.weight"
    }

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__(config)
        self.model = ReferenceDecoder(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> CausalLMOutput:
        """Logits [b, t, v] of what comes after each of input_ids [b, t]; padding is on the right."""
        read = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return CausalLMOutput(logits=self.lm_head(read.last_hidden_state))

    def get_input_embeddings(self) -> nn.Module:
        """The table of token vectors."""
        tokens: nn.Module = self.model.get_input_embeddings()
        return tokens


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


for _config in (EncoderConfig, DecoderConfig, EncoderDecoderConfig):
    AutoConfig.register(_config.model_type, _config, exist_ok=True)
AutoModel.register(EncoderConfig, ReferenceEncoder, exist_ok=True)
AutoModel.register(DecoderConfig, ReferenceDecoder, exist_ok=True)
AutoModelForCausalLM.register(DecoderConfig, ReferenceForCausalLM, exist_ok=True)
AutoModelForSeq2SeqLM.register(EncoderDecoderConfig, ReferenceForSeq2SeqLM, exist_ok=True)
