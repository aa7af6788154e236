"""From a name to a folder: folders, releases, the catalogue, a hub that is asked for safetensors alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tunesmith.core import durable
from tunesmith.core.errors import MissingError, ModelError, NotFoundError
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.models import catalogue, resolve
from tunesmith.models.resolve import weights_digest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
UNWANTED = {"pytorch_model.bin": b"\x80\x04.", "modeling_own.py": b"raise SystemExit", "rust_model.ot": b"x"}


@dataclass
class Hub:
    """A hub on loopback: files by repository, and what it was asked for."""

    repositories: dict[str, dict[str, bytes]]
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        api = path.startswith("/api/models/")
        name = "/".join(path.removeprefix("/api/models").split("/")[1:3])
        files = self.repositories.get(name)
        if files is None:
            return 404, {"X-Error-Code": "RepoNotFound"}, b"{}"
        if api:
            return 200, {"Content-Type": "application/json"}, json.dumps(self._describe(name, path)).encode()
        content = files[path.split(f"/resolve/{COMMIT}/", 1)[1]]
        return 200, {"ETag": f'"{_oid(path, content)}"', "X-Repo-Commit": COMMIT}, content

    def _describe(self, name: str, path: str) -> Any:
        files = self.repositories[name]
        if "/tree/" in path:
            return [{"type": "file", "path": n, "size": len(c), "oid": _oid(n, c)} for n, c in files.items()]
        return {"id": name, "sha": COMMIT, "siblings": [{"rfilename": n} for n in files]}


def _oid(name: str, content: bytes) -> str:
    """What the hub calls a content: large files by their sha256, small ones as git does."""
    if name.endswith(".safetensors"):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@pytest.fixture
def hub(shared_data: Path) -> Iterator[Hub]:
    folder = shared_data / "weights" / "stories260K-hf"
    stories = {path.name: path.read_bytes() for path in folder.iterdir()}
    made = Hub(
        {
            "openai-community/gpt2": {**stories, **UNWANTED},
            "someone/pickled": {"config.json": stories["config.json"], **UNWANTED},
        }
    )

    class Handler(BaseHTTPRequestHandler):
        def _send(self, *, body: bool) -> None:
            code, headers, content = made.answer(urlsplit(self.path).path)
            self.send_response(code)
            for key, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(key, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def do_GET(self) -> None:
            self._send(body=True)

        def do_HEAD(self) -> None:
            self._send(body=False)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


RESOLVE = """
import json, sys
from pathlib import Path
from tunesmith.core.errors import TunesmithError
from tunesmith.core.workspace import Workspace
from tunesmith.models.resolve import resolve
try:
    said = {"folder": str(resolve(sys.argv[1], Workspace(Path("nowhere"))).folder)}
except TunesmithError as error:
    said = {"type": type(error).__name__, "code": error.problems[0].code, **error.problems[0].values}
print(json.dumps({**said, "heavy": sorted({"torch", "transformers"} & set(sys.modules))}))
"""
CLASSIC = """
import json, sys, tunesmith
model = tunesmith.load(sys.argv[1])
print(json.dumps(model.generate("The world is a beautiful place,", max_new_tokens=12)))
"""


@pytest.fixture
def ask(tmp_path: Path) -> Any:
    """Ask for a model in a process of its own, whose hub, cache and home are the test's."""

    def run(name: str, *, script: str = RESOLVE, **environment: str) -> Any:
        paths = os.pathsep.join(map(os.path.abspath, sys.path))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
        own = {"PYTHONPATH": paths, "HOME": str(tmp_path), "HF_HOME": str(tmp_path / "hf")}
        said = subprocess.run(
            [sys.executable, "-c", script, name],
            env={**kept, **own, **environment}, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert said.returncode == 0, said.stderr
        return json.loads(said.stdout)

    return run


def test_the_classic_three_lines_work_from_a_mirror_and_then_it_is_here_without_a_network(
    hub: Hub, ask: Any
) -> None:
    assert len(ask("gpt2", script=CLASSIC, HF_ENDPOINT=hub.url)) > 10
    asked = len(hub.asked)
    again = ask("gpt2", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    assert (Path(again["folder"]) / "model.safetensors").exists()
    assert len(hub.asked) == asked


def test_only_safetensors_and_what_describes_them_is_fetched(hub: Hub, ask: Any) -> None:
    said = ask("openai-community/gpt2", HF_ENDPOINT=hub.url)
    names = {path.name for path in Path(said["folder"]).iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= names
    assert not names & UNWANTED.keys()
    assert not [path for path in hub.asked if path.endswith((".bin", ".py", ".ot"))]
    assert said["heavy"] == []


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_file_that_changed_in_the_cache_is_not_used(name: str, hub: Hub, ask: Any) -> None:
    file = Path(ask("gpt2", HF_ENDPOINT=hub.url)["folder"]) / name
    content = bytearray(file.read_bytes())
    content[-9] ^= 1
    file.resolve().chmod(0o644)
    file.resolve().write_bytes(content)
    said = ask("gpt2", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    assert (said["type"], said["code"]) == ("ModelError", "M07")


def test_a_model_of_pickles_alone_is_refused(hub: Hub, ask: Any) -> None:
    said = ask("someone/pickled", HF_ENDPOINT=hub.url)
    assert (said["type"], said["code"]) == ("ModelError", "M08")


def test_a_hub_that_does_not_know_a_name_is_no_network_problem(hub: Hub, ask: Any) -> None:
    said = ask("someone/nothing", HF_ENDPOINT=hub.url)
    assert (said["type"], said["code"]) == ("NotFoundError", "M01")


@pytest.mark.parametrize("name", ["some one/model", "someone/mo--del", "someone/" + "x" * 200])
def test_a_name_that_no_hub_could_have_is_not_found(ask: Any, name: str) -> None:
    said = ask(name, HF_HUB_OFFLINE="1")
    assert (said["type"], said["code"]) == ("NotFoundError", "M01")


def test_being_offline_is_told_with_what_to_do(hub: Hub, ask: Any) -> None:
    said = ask("gpt2", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    assert (said["type"], said["code"]) == ("MissingError", "M02")
    assert "offline" in said["reason"].lower() or "disabled" in said["reason"]
    assert hub.asked == []


def test_a_hub_that_cannot_be_reached_is_told_in_one_line(ask: Any) -> None:
    said = ask("gpt2", HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert (said["type"], said["code"]) == ("MissingError", "M02")
    assert "\n" not in said["reason"]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / ".tunesmith")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "recipes" / "mine"
    made.mkdir(parents=True)
    (made / "config.json").write_text("{}", "utf-8")
    return made


def test_a_folder_is_found_beside_the_recipe_then_here_then_anywhere(
    workspace: Workspace, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolve.resolve("mine", workspace, base=folder.parent).folder == folder
    assert resolve.resolve(str(folder), workspace).folder == folder
    monkeypatch.chdir(tmp_path)
    assert resolve.resolve("recipes/mine", workspace).folder == folder
    assert resolve.resolve("recipes/mine/", workspace).name == "mine"


def test_a_release_is_found_by_version_and_alias_and_goes_before_the_catalogue(
    workspace: Workspace, folder: Path
) -> None:
    durable.seal(folder)
    store = Store(workspace.database)
    store.publish("gpt2", digest=durable.digest(folder), folder=folder, task="chat", lineage={})
    store.move("gpt2", "production", 1, expected=None, reason="")
    store.close()
    for label in ("gpt2", "gpt2@1", "gpt2@production"):
        assert resolve.resolve(label, workspace).folder == folder


@pytest.mark.parametrize(("file", "code"), [("config.json", "C04"), ("MANIFEST.json", "C03")])
def test_a_release_whose_files_were_changed_is_refused(
    workspace: Workspace, folder: Path, file: str, code: str
) -> None:
    durable.seal(folder)
    store = Store(workspace.database)
    store.publish("own", digest=durable.digest(folder), folder=folder, task="chat", lineage={})
    store.close()
    (folder / file).write_text("changed", "utf-8")
    with pytest.raises(ModelError) as caught:
        resolve.resolve("own", workspace)
    assert caught.value.problems[0].code == code


def test_an_unknown_name_is_answered_with_what_may_be_meant(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError) as caught:
        resolve.resolve("minilmm", workspace)
    problem = caught.value.problems[0]
    assert (problem.code, problem.values["close"]) == ("M01", "minilm")
    assert not workspace.root.exists()


def test_tfidf_has_no_folder(workspace: Workspace) -> None:
    assert resolve.resolve("tfidf", workspace).folder is None


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> catalogue.Entry:
    """A model that comes with a package, whose code must not be run."""
    model = tmp_path / "package_for_a_test" / "model"
    model.mkdir(parents=True)
    (model.parent / "__init__.py").write_text("raise SystemExit", "utf-8")
    (model / "model.safetensors").write_bytes(b"weights")
    monkeypatch.syspath_prepend(tmp_path)
    entry = catalogue.Entry(
        name="own", kind="encoder", family="bert", languages=("en",), licence="MIT",
        parameters=1, context=8, package="package-for-a-test", module="package_for_a_test", folder="model",
        sha256=hashlib.sha256(b"weights").hexdigest(),
    )  # fmt: skip
    monkeypatch.setattr(catalogue, "entries", lambda: {"own": entry})
    return entry


def test_a_packages_weights_are_read_by_path_and_its_code_is_not_run(
    workspace: Workspace, packaged: catalogue.Entry, tmp_path: Path
) -> None:
    assert resolve.resolve("own", workspace).folder == tmp_path / "package_for_a_test" / "model"
    assert "package_for_a_test" not in sys.modules


def test_weights_that_are_not_the_pinned_ones_are_refused(
    workspace: Workspace, packaged: catalogue.Entry, tmp_path: Path
) -> None:
    (tmp_path / "package_for_a_test" / "model" / "model.safetensors").write_bytes(b"Weights")
    with pytest.raises(ModelError) as caught:
        resolve.resolve("own", workspace)
    assert caught.value.problems[0].code == "M07"


def test_a_package_that_is_not_installed_is_named(
    workspace: Workspace, packaged: catalogue.Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = catalogue.Entry(**{f: getattr(packaged, f) for f in packaged.__slots__} | {"module": "not_there"})
    monkeypatch.setattr(catalogue, "entries", lambda: {"own": other})
    with pytest.raises(MissingError) as caught:
        resolve.resolve("own", workspace)
    assert caught.value.problems[0].code == "M03"


@pytest.mark.parametrize(
    "file",
    ["model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja", "contract.json",
     "tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "adapter_config.json"],
)  # fmt: skip
def test_the_digest_changes_with_everything_that_changes_what_a_model_does(folder: Path, file: str) -> None:
    before = weights_digest(folder)
    (folder / file).write_text('{"changed": 1}', "utf-8")
    assert weights_digest(folder) != before


def test_the_digest_ignores_what_a_model_does_not_depend_on(folder: Path) -> None:
    before = weights_digest(folder)
    (folder / "README.md").write_text("words", "utf-8")
    assert weights_digest(folder) == before
