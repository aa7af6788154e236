"""How far our gradients are from those of transformers in float32: python gradients.py JOB OUT

A few rows, one by one through the model's own code, are the reference. Differences are relative to its norm,
over all that learns; LoRA has random matrices, since with zeros half of its gradients are zero. `autocast` is
the model's own code in bfloat16, as Trainer uses it; where that is slow, small models only.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import job

task, out = job.arguments()

import torch  # noqa: E402  what is told comes before what takes time
from ours import encoded, learner_of  # noqa: E402
from peer_precision import is_fast_at_bfloat16  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from tunesmith.core import components  # noqa: E402
from tunesmith.tasks.task import Example, Learner  # noqa: E402
from tunesmith.train.backbones.llama import LlamaBackbone  # noqa: E402

_NARROW = 256  # hidden states of a model that is quick in any numbers


def main() -> None:
    work = components.tasks.get(task.work)()
    learner = learner_of(work)
    _shake(learner.module)
    examples = sorted(encoded(work, learner, task.examples()), key=lambda example: len(example.ids))[:4]
    wanted = _gradients(learner.module, lambda: _reference(learner, examples))
    found = {"float32": _ours(learner, examples, torch.float32)}
    if is_fast_at_bfloat16("cpu") or learner.backbone.config.hidden_size < _NARROW:
        found["bf16"] = _ours(learner, examples, torch.bfloat16)
        with torch.autocast("cpu", torch.bfloat16):
            found["autocast"] = _gradients(learner.module, lambda: _reference(learner, examples))
    out.write_text(json.dumps({name: _apart(one, wanted) for name, one in found.items()}), encoding="utf-8")


def _shake(module: nn.Module) -> None:
    generator = torch.Generator().manual_seed(0)
    for name, parameter in module.named_parameters():
        if "lora" in name:
            parameter.data += torch.randn(parameter.shape, generator=generator) * 0.02


def _ours(learner: Learner, examples: list[Example], dtype: torch.dtype) -> list[Tensor]:
    work, backbone = components.tasks.get(task.work)(), LlamaBackbone(learner.backbone, dtype)
    loss = components.losses.get("cross_entropy")
    return _gradients(learner.module, lambda: work.objective(learner, backbone, examples, loss))


def _reference(learner: Learner, examples: list[Example]) -> Tensor:
    """The loss summed over learned tokens, row by row."""
    total = torch.zeros(())
    for example in examples:
        ids = torch.from_numpy(example.ids).long()
        logits = learner.module(input_ids=ids[None], use_cache=False).logits[0, :-1].float()
        learned = torch.from_numpy(example.target[1:].copy())
        total = total + functional.cross_entropy(logits[learned], ids[1:][learned], reduction="sum")
    return total


def _gradients(module: nn.Module, loss: Callable[[], Tensor]) -> list[Tensor]:
    module.zero_grad(set_to_none=True)
    loss().backward()
    return [p.grad.clone() for p in module.parameters() if p.requires_grad and p.grad is not None]


def _apart(found: list[Tensor], wanted: list[Tensor]) -> float:
    difference = sum(float((f - w).double().square().sum()) for f, w in zip(found, wanted, strict=True))
    return (difference / sum(float(w.double().square().sum()) for w in wanted)) ** 0.5


if __name__ == "__main__":
    main()
