"""What all routes of the Studio share."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.serve.deployments import Deployments
from tunesmith.studio.attention.glass import Glass
from tunesmith.studio.hosting import Hosting
from tunesmith.studio.jobs.supervisor import Supervisor
from tunesmith.studio.runs.facts import Notebook
from tunesmith.studio.series.library import Library


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """One workspace with its store, the models that are served beside it, and the token that opens it.

    `notebook` knows the facts of runs, `glass` looks into models. `logs` is whether this server keeps
    the requests to its models. The token is new with every start; it is printed, exchanged for a session, and
    kept nowhere.
    """

    workspace: Workspace
    store: Store
    served: Deployments
    series: Library
    notebook: Notebook
    jobs: Supervisor
    hosting: Hosting
    glass: Glass
    logs: bool = False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @classmethod
    def over(cls, workspace: Workspace, served: Deployments | None = None, *, logs: bool = False) -> Studio:
        """The Studio of a workspace, which is made if it is not there."""
        store = Store(workspace.database)
        served = served or Deployments(())
        return cls(
            workspace=workspace,
            store=store,
            served=served,
            jobs=Supervisor(workspace, store),
            series=Library(workspace),
            notebook=Notebook(),
            hosting=Hosting(workspace, served),
            glass=Glass(workspace),
            logs=logs,
        )

    def address(self, url: str) -> str:
        """The address that opens it, on a server at `url`."""
        return f"{url}/?token={self.token}"
