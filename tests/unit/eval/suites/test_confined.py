from __future__ import annotations

import json
import os
import subprocess
import time

import pytest

from tunesmith.eval.suites import confined, prompts


def end(program, seconds=2.0, memory_mb=512):
    return confined.run(program, seconds=seconds, memory_mb=memory_mb)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("print(1)", "passed"),
        ("assert 1 == 2", "failed"),
        ("import os; os._exit(0)", "failed"),  # an end that is not the program's own
        ("raise SystemExit", "failed"),
        ("x = bytearray(900 << 20)", "failed"),
        ("open('big', 'wb').write(bytes(2 << 20))", "failed"),
        ("import os; assert not {'HOME', 'PATH', 'HF_TOKEN'} & set(os.environ)", "passed"),
        ("import os; assert sorted(os.listdir('.')) == ['program.py', 'said']", "passed"),
        ("import socket; socket.create_connection(('127.0.0.1', 22), 1)", "failed"),
    ],
)
def test_what_a_program_may_do(program, expected):
    assert end(program) == expected


@pytest.mark.parametrize("program", ["while True: pass", "import time; time.sleep(60)"])
def test_a_program_that_does_not_end_is_ended(program, monkeypatch):
    monkeypatch.setattr(confined, "_GRACE", 0.1)
    assert end(program, seconds=0.3) == "late"


@pytest.mark.parametrize("leave", ["", "os.setsid()"])
def test_what_it_started_is_ended_with_it(tmp_path, leave):
    apart = subprocess.run(["unshare", "-rp", "--fork", "true"], capture_output=True, check=False)
    if leave and os.getuid() == 0 and apart.returncode:
        pytest.skip("this system lets root start processes and leave none")
    late = f"time.sleep(0.2); open({str(tmp_path / 'x')!r}, 'w')"
    end(f"import os, time\nif not os.fork():\n    {leave}\n    {late}")
    time.sleep(0.4)
    assert not (tmp_path / "x").exists()


def test_published_solutions_pass_and_others_do_not(shared_data):
    lines = (shared_data / "code_humaneval" / "HumanEval.jsonl").read_text("utf-8").splitlines()
    for row in map(json.loads, lines[:3]):
        program = "{prompt}{completion}\n{test}\ncheck({entry_point})"
        good = {**row, "completion": row["canonical_solution"]}
        assert end(prompts.fill(program, good)) == "passed"
        assert end(prompts.fill(program, {**row, "completion": "    return None\n"})) == "failed"
