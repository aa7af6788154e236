"""The loss by which a model learns what another one makes of the same rows, and not only what is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Gt, Le

if TYPE_CHECKING:
    from torch import Tensor


def kl(
    logits: Tensor,
    target: Tensor,
    taught: Tensor,
    *,
    teacher: str | None = None,
    temperature: Annotated[float, Gt(0)] = 2.0,
    alpha: Annotated[float, Ge(0), Le(1)] = 0.5,
) -> Tensor:
    """Knowledge distillation (Hinton et al. 2015): alpha T^2 KL(teacher || student) + (1 - alpha) usual loss.

    Both distributions of the first term are softened by the temperature T. logits and taught, the teacher's:
    [rows, classes], which may be padded differently at the end; target: [rows] -> [rows] in nats. `teacher`
    names the model that `taught` comes from, which has been asked; a recipe must name it.
    """
    from torch.nn import functional

    right = functional.cross_entropy(logits, target, reduction="none")
    shared = min(logits.shape[-1], taught.shape[-1])
    own, wanted = (functional.log_softmax(x[:, :shared] / temperature, -1) for x in (logits, taught))
    apart = functional.kl_div(own, wanted, log_target=True, reduction="none").sum(-1)
    return alpha * temperature**2 * apart + (1 - alpha) * right
