from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from tunesmith.models.resolve import Resolved, named
from tunesmith.serve.client import Client


def test_one_line_says_where_and_an_interrupt_ends_it_in_order(router, tmp_path, environment):
    command = [sys.executable, "-m", "tunesmith", "serve", "router@1", "--port", "0", "--json"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            assert ready["models"] == [{"name": "router", "aliases": ["router@1"], "task": "classify"}]
            with Client(ready["url"]) as client:
                assert client.classify("my card", model="router@1")[0]["label"] == "card"
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=40)
        finally:
            process.kill()
    assert (process.returncode, out) == (0, "")


def test_other_machines_need_a_key(call, router):
    said = call("serve", "router", "--host", "192.0.2.1", "--port", "0")
    assert said.code == 2
    assert "error[S19]" in said.err
    assert said.out == ""


def test_a_base_without_a_task_cannot_be_served(call):
    assert "error[M13]" in call("serve", "tfidf", "--lang", "zh").err


def test_a_version_answers_to_its_plain_name_only_when_it_is_alone():
    router, other = (Resolved(name=name, folder=Path(name)) for name in ("router", "other"))
    assert named(["router@2", "other"], [router, other]) == [
        ("router", ["router@2"], router), ("other", [], other),
    ]  # fmt: skip
    assert named(["router@2", "router@3"], [router, router]) == [
        ("router@2", [], router), ("router@3", [], router),
    ]  # fmt: skip


def test_a_server_without_a_model_is_refused(call):
    said = call("serve")
    assert (said.code, said.out) == (2, "")
    assert "error[S70]" in said.err
