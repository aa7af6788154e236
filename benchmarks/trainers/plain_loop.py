"""A character model in plain eager PyTorch, as nanoGPT trains it: python plain_loop.py JOB OUT

GPT-2 in one page: the same weights to begin with as Tunesmith's, blocks of 64 characters drawn at random,
AdamW with a clipped gradient, a cosine with warm-up. Model and settings follow github.com/karpathy/nanoGPT.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import job

task, out = job.arguments()
job.keep_memory()

import torch  # noqa: E402  the allocator is set before anything large is allocated
from safetensors.torch import load_file  # noqa: E402
from torch import Tensor, nn  # noqa: E402
from torch.nn import functional  # noqa: E402

BLOCK = task.options["context"] - 1
_WIDTH, _LAYERS, _HEADS = 128, 4, 4


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before_attention, self.before_mlp = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
        self.qkv, self.projection = nn.Linear(_WIDTH, 3 * _WIDTH), nn.Linear(_WIDTH, _WIDTH)
        self.up, self.down = nn.Linear(_WIDTH, 4 * _WIDTH), nn.Linear(4 * _WIDTH, _WIDTH)

    def forward(self, hidden: Tensor) -> Tensor:
        batch, length, _ = hidden.shape
        parts = self.qkv(self.before_attention(hidden)).split(_WIDTH, dim=2)
        query, key, value = (part.view(batch, length, _HEADS, -1).transpose(1, 2) for part in parts)
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        hidden = hidden + self.projection(seen.transpose(1, 2).reshape(batch, length, _WIDTH))
        return hidden + self.down(functional.gelu(self.up(self.before_mlp(hidden))))


class Model(nn.Module):
    def __init__(self, characters: int) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(characters, _WIDTH), nn.Embedding(BLOCK + 1, _WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(_LAYERS))
        self.norm = nn.LayerNorm(_WIDTH)

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        hidden = self.tokens(ids) + self.positions.weight[: ids.shape[1]]
        for block in self.blocks:
            hidden = block(hidden)
        logits = self.norm(hidden) @ self.tokens.weight.t()
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def load(self, folder: Path) -> None:
        """Take over weights as transformers has them, where linear maps are written the other way round."""
        found = load_file(folder / "model.safetensors")
        names = {
            "before_attention": "ln_1", "qkv": "attn.c_attn", "projection": "attn.c_proj",
            "before_mlp": "ln_2", "up": "mlp.c_fc", "down": "mlp.c_proj",
        }  # fmt: skip
        state = {"tokens.weight": "wte.weight", "positions.weight": "wpe.weight"}
        state |= {f"norm.{kind}": f"ln_f.{kind}" for kind in ("weight", "bias")}
        for i in range(_LAYERS):
            for ours, theirs in names.items():
                for kind in ("weight", "bias"):
                    state[f"blocks.{i}.{ours}.{kind}"] = f"h.{i}.{theirs}.{kind}"
        maps = ("qkv.weight", "projection.weight", "up.weight", "down.weight")
        values = {ours: found[f"transformer.{theirs}"] for ours, theirs in state.items()}
        self.load_state_dict({name: v.t() if name.endswith(maps) else v for name, v in values.items()})


def main() -> None:
    torch.manual_seed(task.seed)
    train, validation = (torch.tensor(row["ids"]) for row in task.all_rows())
    model = Model(int(train.max()) + 1)
    model.load(Path(task.model))
    optimizer = torch.optim.AdamW(_groups(model), lr=task.rate, betas=(0.9, 0.99))
    told = job.Told()
    steps = task.options["steps"]
    for step in range(steps):
        began = time.perf_counter()
        loss = model(*_blocks(train))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for group in optimizer.param_groups:
            group["lr"] = task.rate * _factor(step / steps)
        optimizer.step()
        told.losses.append(float(loss.detach()))
        told.step(time.perf_counter() - began)
    if task.options["validated"]:
        told.validation = _validate(model, validation)
    job.tell(told, out)


def _groups(model: nn.Module) -> list[dict]:
    """Matrices are decayed, vectors are not."""
    found = list(model.parameters())
    return [
        {"params": [p for p in found if p.ndim >= 2], "weight_decay": 0.1},
        {"params": [p for p in found if p.ndim < 2], "weight_decay": 0.0},
    ]


def _blocks(ids: Tensor) -> tuple[Tensor, Tensor]:
    starts = torch.randint(len(ids) - BLOCK, (task.batch_size,))
    rows = torch.stack([ids[start : start + BLOCK + 1] for start in starts])
    return rows[:, :-1], rows[:, 1:]


def _factor(progress: float, warmup: float = 0.05, floor: float = 0.1) -> float:
    if progress < warmup:
        return progress / warmup
    along = (progress - warmup) / (1 - warmup)
    return floor + (1 - floor) * (1 + math.cos(math.pi * along)) / 2


@torch.inference_mode()
def _validate(model: Model, ids: Tensor) -> float:
    """The mean loss over all blocks of a text, none of which overlaps another."""
    whole = ids[: (len(ids) - 1) // BLOCK * BLOCK + 1]
    inputs, targets = whole[:-1].view(-1, BLOCK), whole[1:].view(-1, BLOCK)
    return float(model(inputs, targets))


if __name__ == "__main__":
    main()
