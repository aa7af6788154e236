"""The tokenizer of one model for another that is made from nothing, a student of it for instance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from tunesmith.core import cache, durable
from tunesmith.core.errors import ModelError, NotFoundError
from tunesmith.core.recipe import Made, TokenizerKind
from tunesmith.core.registry import suggestion
from tunesmith.core.workspace import Workspace
from tunesmith.models import catalogue
from tunesmith.models.json_file import read_json
from tunesmith.models.resolve import resolve

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "contract.json",
)
# What may stand for a role that no token has: BERT names the ends of a text otherwise, and GPT-2 has but one.
_ELSE = {
    "eos_token": ("eos_token", "sep_token"),
    "pad_token": ("pad_token", "eos_token", "sep_token"),
    "bos_token": ("bos_token", "cls_token", "pad_token", "eos_token"),
}


def is_borrowed(size: Made) -> bool:
    """Whether a model takes the tokenizer of another one."""
    return size.tokenizer not in get_args(TokenizerKind)


def located(size: Made, workspace: Workspace, base: Path) -> Made:
    """The same size with the folder of its tokenizer in place of a name; `base` is where the recipe lies.

    Raises:
        NotFoundError: M88 when it is neither a kind of tokenizer nor a model.
        MissingError: M02, M03 when the model cannot be fetched.
        ModelError: M86 when it has no tokenizer.
    """
    if not is_borrowed(size):
        return size
    try:
        folder = resolve(size.tokenizer, workspace, base=base).folder
    except NotFoundError as error:
        known = suggestion(size.tokenizer, [*get_args(TokenizerKind), *catalogue.entries()])
        raise NotFoundError("M88", name=size.tokenizer, **known) from error
    if folder is None or not (folder / "tokenizer.json").is_file():
        raise ModelError("M86", name=size.tokenizer)
    return size.model_copy(update={"tokenizer": str(folder)})


def digest(folder: Path) -> str:
    """What decides about a tokenizer: its files, wherever they lie."""
    return cache.key(files={n: durable.sha256(folder / n) for n in _FILES if (folder / n).exists()})


def taken(folder: Path, *, frames: bool) -> tuple[Tokenizer, dict[str, int]]:
    """The tokenizer of a folder, and its special tokens by role; `frames` puts its end behind texts.

    Raises:
        ModelError: M05 when it cannot be read; M87 when no token of it ends a text.
    """
    from tokenizers.processors import TemplateProcessing

    from tunesmith.models import tokenizer

    found = tokenizer.load(folder)
    named = _special(folder)
    ids = {role: _first(found, [named.get(one) for one in several]) for role, several in _ELSE.items()}
    known = {role: number for role, number in ids.items() if number is not None}
    if (end := known.get("eos_token")) is None:
        raise ModelError("M87", file=folder)
    # A decoder beside an encoder has to learn where a text ends.
    if frames and found.encode("a").ids[-1] != end:
        token = found.id_to_token(end)
        found.post_processor = TemplateProcessing(single=f"$A {token}", special_tokens=[(token, end)])
    return found, known


def _special(folder: Path) -> dict[str, str]:
    """The texts of special tokens by role."""
    found: dict[str, str] = {}
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        for role, value in read_json(folder / name).items():
            text = value.get("content") if isinstance(value, dict) else value
            if role.endswith("_token") and isinstance(text, str):
                found[role] = text
    return found


def _first(tokenizer: Tokenizer, tokens: list[str | None]) -> int | None:
    return next((i for t in tokens if t and (i := tokenizer.token_to_id(t)) is not None), None)
