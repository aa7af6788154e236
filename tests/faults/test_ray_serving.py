"""Two replicas on one machine, each a whole server, answer as one."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

pytestmark = pytest.mark.faults
PORT = 18_465
pytest.importorskip("ray.serve", reason="Ray Serve is not installed: pip install 'ray[serve]'")


def test_two_replicas_answer_alike(shared_data: Path, tmp_path: Path) -> None:
    import ray
    from ray import serve

    from tunesmith.workflow.ray_serving import build

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
        answers = [httpx.post(f"{url}/v1/completions", json=body, timeout=60) for _ in range(12)]
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.json()["choices"][0]["text"] for answer in answers}) == 1
        assert httpx.get(f"{url}/ready", headers={"Host": "evil.example"}).status_code == 421
    finally:
        serve.shutdown()
        ray.shutdown()
