"""Which numbers the peers compute in."""

from __future__ import annotations

import torch


def is_fast_at_bfloat16(device: str) -> bool:
    """Whether the device multiplies bfloat16 by itself; a processor that does not takes ages."""
    able = torch.cpu.get_capabilities()
    return device != "cpu" or any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
