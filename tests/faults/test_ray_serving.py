"""Replicas of Ray Serve: each is a whole server, and two of them answer as one."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from tunesmith.core.errors import UsageError
from tunesmith.core.store import Store
from tunesmith.core.workspace import Workspace
from tunesmith.workflow.ray_serving import application, build

pytestmark = pytest.mark.faults
PORT = 18_465


@pytest.fixture
def key(tmp_path: Path) -> dict[str, str]:
    """What a client says who has a key of the workspace."""
    _, text = Store(Workspace(tmp_path / ".tunesmith").database).create_key("clients", ("serve",))
    return {"Authorization": f"Bearer {text}"}


def test_a_workspace_without_a_key_is_refused(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / ".tunesmith").mkdir()
    with pytest.raises(UsageError, match="S53"):
        application({"models": [str(shared_data / "weights" / "stories260K-hf")], "workspace": str(tmp_path)})


def test_a_replica_is_a_server(shared_data: Path, tmp_path: Path, key: dict[str, str]) -> None:
    folder = shared_data / "weights" / "stories260K-hf"
    app = application({"models": [str(folder)], "workspace": str(tmp_path)})
    with TestClient(app, base_url="http://localhost") as client:
        body = {"model": folder.name, "prompt": "Once upon", "max_tokens": 4}
        assert client.post("/v1/completions", json=body).status_code == 401
        assert client.post("/v1/completions", json=body, headers=key).status_code == 200
        assert client.get("/ready").json()["ready"]


def test_two_replicas_answer_alike(shared_data: Path, tmp_path: Path, key: dict[str, str]) -> None:
    pytest.importorskip("ray.serve", reason="Ray Serve is not installed: pip install 'ray[serve]'")
    import ray
    from ray import serve

    folder = shared_data / "weights" / "stories260K-hf"
    ray.init(num_cpus=4, include_dashboard=False)
    serve.start(http_options={"host": "127.0.0.1", "port": PORT})
    try:
        args = {"models": [str(folder)], "workspace": str(tmp_path), "replicas": 2}
        serve.run(build(args), route_prefix="/")
        status = serve.status()
        assert status.applications["default"].deployments["Tunesmith"].replica_states == {"RUNNING": 2}
        url = f"http://127.0.0.1:{PORT}"
        body = {"model": folder.name, "prompt": "Once upon", "max_tokens": 8, "temperature": 0}
        answers = [httpx.post(f"{url}/v1/completions", json=body, headers=key, timeout=60) for _ in range(12)]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["choices"][0]["text"] for answer in answers}) == 1
        assert httpx.get(f"{url}/ready", headers={"Host": "evil.example"}).status_code == 421
    finally:
        serve.shutdown()
        ray.shutdown()
