"""Routes over what came of labelling: how far people agree, and the labels as a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import FastAPI, Query
from pydantic import BaseModel
from starlette.responses import Response

from tunesmith.serve.policies import Policy, Route
from tunesmith.studio.roles import VIEWER
from tunesmith.studio.state import Studio
from tunesmith.workflow.labelling.exporting import export
from tunesmith.workflow.labelling.following import Background
from tunesmith.workflow.labelling.quality import quality

POLICIES: dict[Route, Policy] = {
    ("GET", "/api/labelling/{name}/quality"): VIEWER,
    ("GET", "/api/labelling/{name}/export"): VIEWER,
}


class QualityInfo(BaseModel):
    """Agreement, annotators, and whether more labels are worth it; see `workflow.labelling.quality`."""

    quality: dict[str, Any]
    stopping: dict[str, Any]


def add_routes(app: FastAPI, studio: Studio, background: Background) -> None:
    """Put the routes of results into `app`."""
    store = studio.store

    @app.get("/api/labelling/{name}/quality")
    def judged(name: str) -> QualityInfo:
        """How far people agree, what each did, and whether more labels are worth it."""
        stopping = background.of(store.project(name)).stopping()
        return QualityInfo(quality=asdict(quality(store, name)), stopping=asdict(stopping))

    @app.get("/api/labelling/{name}/export")
    def exported(
        name: str,
        layout: Annotated[str, Query(max_length=32)] = "",
        suffix: Annotated[str, Query(pattern=r"^(jsonl|json|csv|tsv|conll)$")] = "jsonl",
    ) -> Response:
        """What was labelled, as a file."""
        with TemporaryDirectory() as folder:
            out = Path(folder) / f"labels.{suffix}"
            export(store, name, out, layout or None)
            headers = {"Content-Disposition": f'attachment; filename="labels.{suffix}"'}
            return Response(out.read_bytes(), media_type="application/octet-stream", headers=headers)
