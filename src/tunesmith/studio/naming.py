"""Which model a caller means: a release, or an entry of the catalogue. Folders have no name here."""

from __future__ import annotations

from tunesmith.core.errors import NotFoundError
from tunesmith.core.registry import suggestion
from tunesmith.models import catalogue, facts
from tunesmith.models.facts import Found
from tunesmith.studio.state import Studio


def known(studio: Studio, name: str) -> Found:
    """What is known by this name.

    Raises:
        NotFoundError: M01 when neither a release nor the catalogue has it.
    """
    release = studio.store.find(name)
    if release is not None:
        return facts.find(release.label, studio.workspace)
    if name not in catalogue.entries():
        names = {*catalogue.entries(), *(release.name for release in studio.store.releases())}
        raise NotFoundError("M01", name=name, **suggestion(name, sorted(names)))
    return facts.find(name, studio.workspace)
