"""Labelling in the store: projects, their items, who holds which, and every decision that was ever made.

Decisions are only ever added. A decision has a name that its maker gave it, so that one sent twice because
the network was lost counts once; an `undo` is a decision too. What stands now is kept beside them in the same
transaction (`label_places`), which also holds items while somebody looks at them, so that no two people are
given the same one unless that is wanted.
"""

from __future__ import annotations

from tunesmith.core.store.labelling.decisions import Decisions
from tunesmith.core.store.labelling.projects import Projects
from tunesmith.core.store.labelling.queue import Queue
from tunesmith.core.store.labelling.records import (
    Answer,
    Decision,
    Item,
    Label,
    Project,
    Standing,
    Suggestion,
)

__all__ = ["Answer", "Decision", "Item", "Label", "Labelling", "Project", "Standing", "Suggestion"]


class Labelling(Projects, Queue, Decisions):
    """Labelling projects of one workspace."""
