"""The peers' environment: made with pip below build/bench when it is not there, torch first."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_TORCH = "torch==2.13.0"
_PEERS = ("transformers==5.23.0", "trl==1.16.0", "peft==0.21.2", "accelerate==1.15.0", "datasets==5.2.0")


def python(folder: Path, packages: Sequence[str] = _PEERS, *, torch: bool = True) -> Path:
    """Its interpreter. `torch`: whether the one that we use is installed first."""
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        for step in ((_TORCH,), packages) if torch else (packages,):
            subprocess.run([folder / "bin" / "pip", "install", "--quiet", *step], check=True)
        ready.touch()
    return folder / "bin" / "python"
