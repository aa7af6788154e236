from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tunesmith.cli.layout import width
from tunesmith.cli.main import VERBS
from tunesmith.core import text

HEAVY = (
    "torch", "transformers", "polars", "pydantic", "rich", "sqlalchemy", "numpy", "fastapi", "tokenizers",
    "ruamel", "huggingface_hub",
)  # fmt: skip


def test_help_of_every_verb_imports_nothing_heavy():
    script = (
        "import sys\nfrom tunesmith.cli.main import VERBS, main\n"
        "codes = {main(['--help'])} | {main([verb, '--help']) for verb in VERBS}\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'{codes} {heavy}' if codes != {0} or heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize(
    "words",
    [
        (),
        *((verb,) for verb in VERBS),
        ("models", "promote"),
        ("runs", "show"),
        ("keys", "create"),
        ("data", "label"),
    ],
)
def test_help_fits_eighty_columns_and_is_in_one_language(call, words, lang):
    said = call(*words, "--help", "--lang", lang)
    assert said.code == 0
    assert all(width(line) <= 80 for line in said.out.splitlines())
    english = ("usage:", "options:", "arguments:", "show this help", "actions:")
    assert any(word in said.out for word in english) == (lang == "en")


def test_without_a_verb_the_help_is_shown_and_the_code_says_so(call):
    assert call().code == 2
    assert "tunesmith VERB" in call().out


def test_version_is_one_line(call):
    said = call("--version")
    assert said.code == 0
    assert said.out.startswith("tunesmith ")
    assert said.out.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("modls",), "U02", "tunesmith models"),
        (("models", "lst"), "U02", "tunesmith models list"),
        (("keys", "xyz"), "U02", "tunesmith keys --help"),
        (("ask",), "U01", "missing: MODEL"),
        (("ask", "m", "--temperature", "9"), "U01", "--temperature is 9, which does not fit (0..2)"),
        (("serve", "m", "--port", "x"), "U01", "--port is x, which does not fit (0..65535)"),
        (("eval", "m", "--data"), "U01", "--data needs a value"),
        (("run", "r.yaml", "--sett", "a=1"), "U01", "unknown: --sett a=1"),
        (("keys", "create", "n", "--scope", "all"), "U01", "--scope is all; possible are serve"),
        (("--verbose",), "U01", "unknown: --verbose"),
    ],
)
def test_a_wrong_call_says_what_is_wrong_and_what_there_is(call, words, code, expected):
    said = call(*words)
    assert said.code == 2
    assert said.out == ""
    assert f"error[{code}]" in said.err
    assert expected in said.err


def test_a_wrong_call_is_explained_in_chinese(call):
    assert "缺少参数：MODEL" in call("ask", "--lang", "zh").err
    assert "没有命令 `modls`" in call("modls", "--lang=zh").err


def test_with_json_a_wrong_call_is_one_object_on_stdout(call):
    for words in (("models", "lst", "--json"), ("keys", "--json"), ("--json", "nosuch")):
        said = call(*words)
        assert said.code == 2
        assert said.json["ok"] is False
        assert said.json["problems"][0]["code"].startswith("U0")


@pytest.mark.parametrize("verb", ["models", "runs", "keys"])
def test_a_verb_without_its_action_shows_its_actions(call, verb):
    said = call(verb)
    assert said.code == 2
    assert "actions:" in said.out


@pytest.mark.parametrize("before", [True, False])
def test_common_options_may_stand_before_and_after_the_verb(call, before, tmp_path):
    place = ("--workspace", tmp_path / "elsewhere", "--json")
    words = (*place, "keys", "create", "app") if before else ("keys", "create", "app", *place)
    assert call(*words).json["name"] == "app"
    assert (tmp_path / "elsewhere" / "store.sqlite").exists()
    assert not (tmp_path / ".tunesmith").exists()


def test_options_before_the_action_hold_for_it(call):
    assert call("keys", "--json", "list").json == {"keys": []}


def test_the_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "tunesmith", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("tunesmith ")


def test_a_terminal_without_chinese_gets_what_it_can_show():
    done = subprocess.run(
        [sys.executable, "-m", "tunesmith", "--help", "--lang", "zh"],
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "tunesmith demo" in done.stdout


def test_threads_spin_shortly_between_products(call, monkeypatch):
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    call("doctor", "--help")
    assert os.environ["GOMP_SPINCOUNT"] == "10000"
