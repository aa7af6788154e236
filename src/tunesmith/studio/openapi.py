"""`python -m tunesmith.studio.openapi`: the document that the page's types are made of."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tunesmith.core.workspace import Workspace
from tunesmith.studio.app import create_studio
from tunesmith.studio.state import Studio


def main() -> int:
    """Print the OpenAPI document of the Studio and of the models' routes."""
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio.over(Workspace(Path(folder)))
        json.dump(create_studio(studio).openapi(), sys.stdout, ensure_ascii=False, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
