"""The loop in one step: feedback becomes a version, a recipe trains on it, who passes may be promoted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.core import recipe_file
from tunesmith.core.errors import GateError, RecipeError
from tunesmith.core.recipe import Recipe
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import promotion
from tunesmith.workflow.feedback import reviewing, versions
from tunesmith.workflow.feedback.answered import Row
from tunesmith.workflow.feedback.opinions import gather
from tunesmith.workflow.feedback.versions import PREFIX, Version, note_learned

__all__ = ["Learned", "collect", "name_of", "note_learned", "offer", "promote", "require_comparison"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What became of the opinions: the version that a recipe learns from, and why others are not in it."""

    name: str
    version: Version
    left_out: Mapping[str, int]
    reviewed: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON says it."""
        return {
            "name": self.name,
            "version": self.version.number,
            "file": str(self.version.path),
            "rows": self.version.rows,
            "new": self.version.new,
            "reviewed": self.reviewed,
            "left_out": dict(self.left_out),
        }


def name_of(recipe: Recipe) -> str:
    """Whose feedback a recipe learns from.

    Raises:
        RecipeError: A11 when it names none.
    """
    paths = [entry.path for entries in recipe.data.source.values() for entry in entries]
    found = next((path.removeprefix(PREFIX) for path in paths if path.startswith(PREFIX)), None)
    if found is None:
        wanted = recipe.publish.name if recipe.publish else "NAME"
        raise RecipeError("A11", field="data.source", name=wanted)
    return found


def offer(file: Path, workspace: Workspace, out: Path) -> int:
    """Write what a recipe could learn from into a file, for somebody to look through; how many rows.

    Raises:
        RecipeError: all mistakes of the recipe; A11 when it names no feedback.
    """
    name = name_of(recipe_file.load(file))
    rows, _ = gather(workspace.requests, name)
    versions.write_for_review(rows, _decisions(workspace, name, rows), out)
    return len(rows)


def collect(
    file: Path, workspace: Workspace, *, review: Path | None = None, only_reviewed: bool = False
) -> Learned:
    """Make a version of the feedback that a recipe names, after taking what was decided in `review`.

    Raises:
        RecipeError: all mistakes of the recipe; A11 when it names no feedback.
        NotFoundError, DataError: D01, A12 for a file of decisions that cannot be read.
    """
    name = name_of(recipe_file.load(file))
    if review is not None:
        versions.review(workspace, name, review)
    return of_model(name, workspace, only_reviewed=only_reviewed)


def of_model(name: str, workspace: Workspace, *, only_reviewed: bool = False) -> Learned:
    """Make a version of the feedback on a model, if there is anything new."""
    rows, counts = gather(workspace.requests, name)
    decided = _decisions(workspace, name, rows)
    kept = versions.chosen(rows, decided, only_reviewed=only_reviewed)
    refused = len(rows) - len(kept)
    left_out = {**counts, **({"not_reviewed" if only_reviewed else "refused": refused} if refused else {})}
    made = versions.keep(workspace, name, kept)
    return Learned(name=name, version=made, left_out=left_out, reviewed=len(decided))


def require_comparison(recipe: Recipe, workspace: Workspace) -> None:
    """Check before training that who passes the gate was compared with the model that it would replace.

    Raises:
        GateError: W33 when a model is in production and no rule of the gate names it.
    """
    if recipe.publish is None:
        return
    current = Store(workspace.database).find(f"{recipe.publish.name}@{promotion.PRODUCTION}")
    rules = recipe.eval.gate.values()
    named = {name for bound in rules for name in (bound.not_worse_than, bound.better_than)}
    if current is not None and promotion.PRODUCTION not in named:
        raise GateError("W33", name=recipe.publish.name, current=current.label)


def _decisions(workspace: Workspace, name: str, rows: Sequence[Row]) -> dict[str, Row]:
    """What was decided in files and, which counts more, on the page or in the terminal."""
    with closing(Store(workspace.database)) as store:
        return {**versions.decisions(workspace, name), **reviewing.decided(store, name, rows)}


def promote(release: str, workspace: Workspace) -> promotion.Moved:
    """Put a release that passed its gate into production; servers that follow it change over by themselves.

    Raises:
        GateError: C27, C28, W33 when it passed no gate, or one without the model in production.
    """
    return promotion.promote(Store(workspace.database), release, promotion.PRODUCTION)
