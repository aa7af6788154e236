"""In which numbers a model computes: bfloat16 where the processor is fast at it, else float32."""

from __future__ import annotations

import torch
from torch import nn

# Below this width the products are too small to gain what the conversions cost.
_WIDE = 256


def resolve(wanted: str, backbone: nn.Module) -> str:
    """`bf16` or `float32`: what was asked for, or what suits this processor and model.

    The answer depends on what the processor can do and never on a timing, so that a run can be repeated.
    """
    if wanted != "auto":
        return wanted
    if torch.get_default_device().type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "float32"
    able = torch.cpu.get_capabilities()
    native = any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "amx_tile", "bf16"))
    return "bf16" if native and backbone.config.hidden_size >= _WIDE else "float32"  # type: ignore[union-attr, operator]
