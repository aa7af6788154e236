"""Retention: taking away what is old and nothing needs, after showing it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from tunesmith.core import runs
from tunesmith.core.errors import NotFoundError, TunesmithError
from tunesmith.core.removing import remove_run
from tunesmith.core.runs import RunFolder
from tunesmith.core.workspace import Workspace
from tunesmith.workflow import releases
from tunesmith.workflow.pruning.choosing import KINDS, Chosen, Item, Rules, choose

__all__ = ["KINDS", "Chosen", "Item", "Rules", "choose", "remove"]


def remove(items: Sequence[Item], workspace: Workspace) -> list[Item]:
    """Take them away, and return those that are gone; what somebody needs since they were chosen stays."""
    gone, left = [], list(items)
    # An adapter that goes frees its base: as long as something went, try again.
    while left:
        done = [item for item in left if _removed(item, workspace)]
        if not done:
            break
        gone += done
        left = [item for item in left if item not in done]
    return gone


def _removed(item: Item, workspace: Workspace) -> bool:
    try:
        if item.kind == "release":
            releases.remove(item.name, workspace)
        elif item.kind == "run":
            remove_run(RunFolder(item.path), workspace)
        elif item.kind == "cache" and any(run.owner() for run in runs.all_runs(workspace.runs)):
            return False
        else:
            shutil.rmtree(item.path) if item.path.is_dir() else item.path.unlink(missing_ok=True)
    except NotFoundError:
        return True
    except TunesmithError:
        return False
    return True
