"""AdamW with moments of 8 bits, computed by the bitsandbytes library, kept in checkpoints without pickle."""

from __future__ import annotations

from typing import Any

from bitsandbytes.optim.adamw import AdamW8bit
from torch.optim import Optimizer

# Tables of what the codes mean, the same for all parameters, and where the library keeps them.
_TABLES = {"qmap1": "dynamic", "qmap2": "udynamic"}


class EightBitAdamW(AdamW8bit):
    """The state of every parameter is plain: codes, a scale for each block of 256, the number of steps."""

    def state_dict(self) -> dict[str, Any]:
        """As torch's, without the tables."""
        found = Optimizer.state_dict(self)
        plain = {
            number: {name: value for name, value in values.items() if name not in _TABLES}
            for number, values in found["state"].items()
        }
        return {**found, "state": plain}

    def load_state_dict(self, state_dict: dict[str, Any], move_to_device: bool = True) -> None:
        """Take over a state, and put the tables where they were."""
        super().load_state_dict(state_dict, move_to_device)  # type: ignore[no-untyped-call]
        for values in self.state.values():
            if "absmax1" in values:
                values.update({name: self.name2qmap[table] for name, table in _TABLES.items()})
