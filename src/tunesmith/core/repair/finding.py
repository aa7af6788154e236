"""What was found in a workspace that should not be so."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

# Each has its sentence, `cli.repair_KIND`.
Kind: TypeAlias = Literal[
    "leftover", "replaced", "orphan", "gone", "relinked", "lock", "unfinished", "cache", "dangling", "marks",
    "pepper", "damaged", "unreachable",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: what it is about, what is to be known of it, and whether it was mended."""

    kind: Kind
    subject: str
    detail: str = ""
    mended: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The form of `doctor --json`."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """How a workspace is looked at: to mend or only to look, and what is too young to be called abandoned.

    A model is written before its release is registered: what is younger than `grace_s` may be about to be.
    """

    mend: bool
    grace_s: float = 600.0

    def found(self, kind: Kind, subject: object, detail: object = "", *, mendable: bool = True) -> Finding:
        """A finding, which is mended by the one who looks if it can be and is wished."""
        return Finding(kind=kind, subject=str(subject), detail=str(detail), mended=mendable and self.mend)


def lost(root: Path, path: Path) -> Path:
    """Where something that belongs to nothing is put: nothing that somebody made is thrown away."""
    target = root / "lost" / path.relative_to(root)
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{path.name}-{number}")
    return target
