"""A linear head on the hidden states of an encoder, and how it is kept."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tunesmith.core.errors import ModelError

FILE = "head.safetensors"


class Headed(nn.Module):
    """An encoder whose hidden states, of tokens or of whole texts, are mapped to `outputs` logits."""

    def __init__(self, encoder: nn.Module, outputs: int, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(encoder.config.hidden_size, outputs)  # type: ignore[union-attr, arg-type]
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def logits(self, states: Tensor) -> Tensor:
        """states: [rows, d], also in fewer bits than the head has -> logits [rows, outputs]."""
        logits: Tensor = self.head(self.dropout(states).to(self.head.weight.dtype))
        return logits

    def save_head(self, folder: Path) -> None:
        """Write the head's weights."""
        state = {name: value.detach().contiguous() for name, value in self.head.state_dict().items()}
        save_file(state, str(folder / FILE))

    def load_head(self, folder: Path) -> None:
        """Read the head's weights.

        Raises:
            ModelError: M09 when they do not fit.
        """
        try:
            self.head.load_state_dict(load_file(str(folder / FILE)))
        except (OSError, RuntimeError, SafetensorError) as error:
            raise ModelError("M09", file=folder / FILE, reason=str(error)) from error
