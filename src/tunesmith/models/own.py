"""Models of the user's own: a class named as `module:Class`, used like a model of `transformers`.

An `nn.Module` is wrapped, so that the rest of Tunesmith sees one interface; a `PreTrainedModel` has it. What
class, settings and source a saved model was made of stands on its card; its folder holds no code.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import Tensor, nn
from transformers import AutoConfig, GenerationConfig, PreTrainedConfig, PreTrainedModel
from transformers.utils.generic import ModelOutput

from tunesmith.core import own_code
from tunesmith.core.durable import sha256
from tunesmith.core.errors import ModelError, TunesmithError
from tunesmith.core.recipe import Own
from tunesmith.models.card import Code

_WEIGHTS = "model.safetensors"
# A new model is tried on a text as long as its context, but on no longer one than this.
_TRIED = 2048


class OwnConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """What is asked of any model: vocabulary, width, context."""

    model_type = "own"

    vocab_size: int = 0
    hidden_size: int = 0
    max_position_embeddings: int = 0


@dataclass
class OwnOutput(ModelOutput):
    """Hidden states [batch, tokens, width] and logits [batch, tokens, vocab]: the same where no head is."""

    last_hidden_state: Tensor | None = None
    logits: Tensor | None = None


class OwnModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """An `nn.Module` of the user's own, and an output head where it gives hidden states only."""

    config_class = OwnConfig

    def __init__(self, inner: nn.Module, config: OwnConfig) -> None:
        super().__init__(config)
        self.inner = inner
        self.head: nn.Linear | None = None
        self.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        self.takes_mask = "mask" in inspect.signature(inner.forward).parameters

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None, **_: Any) -> OwnOutput:
        """input_ids, attention_mask: [batch, tokens]; the mask is 1 on real tokens, padding on the right."""
        states = self._states(input_ids, attention_mask)
        return OwnOutput(last_hidden_state=states, logits=states if self.head is None else self.head(states))

    def _states(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        if self.takes_mask:
            states: Tensor = self.inner(ids, mask=torch.ones_like(ids) if mask is None else mask)
        elif mask is None or bool(mask.all()):
            states = self.inner(ids)
        else:
            states = by_length(self.inner, ids, mask.sum(1))
        return states

    def add_head(self) -> None:
        """Put a linear map from hidden states to logits on it."""
        self.head = nn.Linear(self.config.hidden_size, self.config.vocab_size, bias=False)
        nn.init.normal_(self.head.weight, std=0.02)

    def get_output_embeddings(self) -> nn.Module | None:
        """The head, where there is one."""
        return self.head

    def save_pretrained(self, save_directory: Any, **_: Any) -> None:  # type: ignore[override]
        """Write config.json and the weights, tied ones once."""
        self.config.save_pretrained(save_directory)
        save_model(self, str(Path(save_directory) / _WEIGHTS))


def by_length(read: Callable[[Tensor], Tensor], ids: Tensor, lengths: Tensor) -> Tensor:
    """States [batch, tokens, width] of what takes no mask: rows of one length are read without padding."""
    parts = {n: read(ids[lengths == n, :n]) for n in sorted(set(lengths.tolist()))}
    first = next(iter(parts.values()))
    states = first.new_zeros(*ids.shape, first.shape[-1])
    for n, part in parts.items():
        states[lengths == n, :n] = part
    return states


AutoConfig.register(OwnConfig.model_type, OwnConfig, exist_ok=True)


def code_of(module: nn.Module) -> Code | None:
    """What class of the user's own a model is made of, if it is."""
    code: Code | None = getattr(module, "tunesmith_code", None)
    if code is not None and isinstance(module, OwnModel):
        return replace(code, head=module.head is not None)
    return code


def check(size: Own, folder: Path) -> None:
    """Whether what a recipe in `folder` names can be a model, without making it.

    Raises:
        ModelError: M43 when it is no nn.Module, or its settings are not keyword-only, `vocab` among them.
    """
    found = own_code.find(size.code, folder)
    signature = inspect.signature(own_code.maker(found))
    free = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and parameter.default is parameter.empty
    ]
    if not issubclass(found, nn.Module) or free or not {"vocab", "vocab_size"} & signature.parameters.keys():
        shown = f"class {found.__qualname__}({found.__mro__[1].__qualname__}), {signature}"
        raise ModelError("M43", target=own_code.reference(size.code), found=shown)


def make(size: Own, *, vocab: int, ids: Mapping[str, int], seed: int) -> PreTrainedModel:
    """A new model of the user's class; `ids` are those of special tokens, for a PreTrainedModel's config.

    Raises:
        ModelError: M43 when it cannot be made, or turns ids into something else than [batch, tokens, width].
    """
    name = own_code.reference(size.code)
    kind = own_code.find(size.code, Path.cwd())
    given = dict(zip(own_code.GIVEN, (vocab, vocab, size.context, size.context), strict=True))
    takes = inspect.signature(own_code.maker(kind)).parameters
    settings = {**size.settings, **{key: value for key, value in given.items() if key in takes}}
    torch.manual_seed(seed)
    with _told(name):
        if issubclass(kind, PreTrainedModel):
            module: PreTrainedModel = kind(own_code.maker(kind)(**{**settings, **ids}))
        else:
            inner = kind(**settings)
            config = OwnConfig(vocab_size=vocab, max_position_embeddings=size.context)
            config.hidden_size = _width(inner, config, name)
            module = OwnModel(inner, config)
    digest = sha256(own_code.source_file(name))
    return marked(module, Code(target=name, settings=settings, sha256=digest))


def load(kind: type[nn.Module], folder: Path, code: Code, *, as_encoder: bool) -> PreTrainedModel:
    """The model of a folder that was made of the class `kind`, which is no PreTrainedModel.

    An encoder is without the head that Tunesmith put on it.

    Raises:
        ModelError: M43 when it cannot be made, M09 when the weights do not fit.
    """
    # What a constructor draws must not shift what others draw after it.
    with torch.random.fork_rng(devices=[]), _told(code.target):
        module = OwnModel(kind(**code.settings), OwnConfig.from_pretrained(folder))
    if code.head:
        module.add_head()
    try:
        load_model(module, str(folder / _WEIGHTS))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ModelError("M09", file=folder, reason=str(error).splitlines()[0]) from error
    if as_encoder:
        module.head = None
    return marked(module, code)


def kind_of(folder: Path, code: Code) -> type[nn.Module]:
    """The class of a saved model.

    Raises:
        ModelError: M46 when it is not here, or only in the model's folder; M47 when its source has changed.
    """
    found = own_code.find_saved(code.target, code.sha256, folder)
    if not issubclass(found, nn.Module):
        raise ModelError("M46", target=code.target, file=folder, module=code.target.partition(":")[0])
    return found


def marked(module: PreTrainedModel, code: Code) -> PreTrainedModel:
    """`module`, which remembers what it is made of."""
    module.tunesmith_code = code  # type: ignore[assignment]
    return module


def _width(inner: nn.Module, config: OwnConfig, name: str) -> int:
    """The last axis of what a module returns.

    Raises:
        ModelError: M43 when it does not return [batch, tokens, width].
    """
    module: nn.Module = OwnModel(inner, config)
    module.eval()
    shape = (2, min(config.max_position_embeddings, _TRIED))
    with torch.no_grad():
        found: Any = module(torch.zeros(shape, dtype=torch.long)).last_hidden_state
    inner.train()
    if not isinstance(found, Tensor) or found.ndim != len(shape) + 1 or found.shape[:2] != shape:
        shown = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ModelError("M43", target=name, found=f"{list(shape)} -> {shown}")
    return int(found.shape[-1])


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Whatever the user's code raises, as an error with its name."""
    try:
        yield
    except TunesmithError:
        raise
    except Exception as error:
        raise ModelError("M43", target=name, found=f"{type(error).__name__}: {error}") from error
