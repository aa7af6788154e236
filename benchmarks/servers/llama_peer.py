"""llama.cpp as a peer, compiled here: in process through llama-cpp-python, and its server.

`pip install llama-cpp-python` compiles the libraries from its source package; the server is compiled from the
same package on top of them. Both take minutes, once.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from tunesmith.models import loading
from tunesmith.models.export import gguf_writer
from tunesmith.models.export.certificate import Precision
from tunesmith.models.resolve import Resolved

HERE = Path(__file__).resolve().parent
_PACKAGE = "llama-cpp-python==0.3.36"


def python(bench: Path) -> Path:
    """An interpreter that has llama-cpp-python."""
    folder = bench / "llama_cpp-env"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", _PACKAGE], check=True)
        (folder / "ready").touch()
    return folder / "bin" / "python"


def server(bench: Path) -> Path:
    """The program llama-server."""
    made = bench / "llama_server" / "build" / "tools" / "server" / "llama-server"
    if not made.exists():
        interpreter, folder = python(bench), bench / "llama_server"
        pip = [interpreter, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, _PACKAGE, "-d", folder], check=True)
        (archive,) = folder.glob("llama_cpp_python-*.tar.gz")
        with tarfile.open(archive) as package:
            package.extractall(folder, filter="data")
        source = archive.with_name(archive.name.removesuffix(".tar.gz")) / "vendor" / "llama.cpp"
        (libraries,) = interpreter.parents[1].glob("lib/python*/site-packages/lib")
        build = folder / "build"
        places = [f"-DSOURCE={source}", f"-DLIBRARIES={libraries}"]
        subprocess.run(["cmake", "-S", HERE / "llama_server", "-B", build, *places], check=True)
        subprocess.run(["cmake", "--build", build, "-j2", "--target", "llama-server"], check=True)
    return made


def gguf(model: Path, precision: Precision) -> Path:
    """Our export of a model, beside it."""
    path = model.with_name(f"{model.name}-{precision}.gguf")
    if not path.exists():
        loaded: Any = loading.load(Resolved(name=model.name, folder=model))
        gguf_writer.write(loaded, path, precision=precision)
    return path
