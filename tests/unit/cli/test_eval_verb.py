from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from tunesmith.models import loading
from tunesmith.models.export import gguf_writer
from tunesmith.models.resolve import Resolved
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serving


@pytest.mark.parametrize(("lang", "expected"), [("en", "measured on 8 rows"), ("zh", "共评测 8 行")])
def test_scores_and_the_ledger_are_shown(call, router, tickets, lang, expected):
    said = call("eval", "router", "--data", tickets, "--lang", lang)
    assert said.code == 0
    assert "macro_f1" in said.out
    assert "1.0000" in said.out
    assert expected in said.out


def test_json_is_the_report(call, router, tickets):
    report = call("eval", "router@1", "--data", tickets, "--json").json
    assert report["task"] == "classify"
    assert report["scores"]["accuracy"] == 1
    assert report["ledger"]["used"] == 8
    assert len(report["confusion"]) == 2


def test_the_report_is_also_a_page(call, router, tickets, tmp_path):
    call("eval", "router", "--data", tickets, "--html", "out/report.html", "--lang", "zh")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "准确率" in page


def test_a_language_model_is_measured_by_perplexity(call, stories, tmp_path):
    path = tmp_path / "chat.jsonl"
    path.write_text('{"prompt": "Tell a story", "completion": "Once upon a time there was a girl."}\n')
    report = call("eval", stories, "--data", path, "--json").json
    assert report["task"] == "chat"
    assert report["scores"]["perplexity"] > 1


def test_a_model_of_another_kind_is_refused(call, router, tickets):
    said = call("eval", "router", "--data", tickets, "--task", "generate")
    assert said.code == 3
    assert "error[M14]" in said.err


def test_a_missing_file_is_named(call, router):
    said = call("eval", "router", "--data", "nosuch.csv", "--json")
    assert said.code == 4
    assert said.json["problems"][0]["code"] == "D01"


def test_tfidf_answers_each_row_by_what_it_learned_from_the_others(call, tmp_path):
    rows = [f"{word} number {i},{label}" for i in range(20) for word, label in (("cat", "a"), ("dog", "b"))]
    path = tmp_path / "animals.csv"
    path.write_text("text,label\n" + "\n".join([*rows, "zebra,b", "zebra,b", "wolf,a"]), "utf-8")
    report = call("eval", "tfidf", "--data", path, "--json").json
    assert report["rows"] == 43
    # Nobody who has not seen it knows the zebra: equal texts are in one fold.
    assert 0.9 < report["scores"]["accuracy"] < 1


@pytest.fixture
def chats(tmp_path):
    """Two conversations."""
    path = tmp_path / "chat.jsonl"
    path.write_text(
        '{"prompt": "Tell a story", "completion": "Once upon a time there was a girl."}\n'
        '{"prompt": "And then?", "completion": "She went to the park."}\n'
    )
    return path


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
def test_a_model_in_all_its_forms_has_the_same_report(call, stories, chats, tmp_path):
    adapter, merged, packed = tmp_path / "adapter", tmp_path / "merged", tmp_path / "packed.gguf"
    theirs = get_peft_model(
        AutoModelForCausalLM.from_pretrained(stories, dtype=torch.float32),
        LoraConfig(r=4, target_modules=["q_proj"], init_lora_weights=False, task_type="CAUSAL_LM"),
    )
    theirs.save_pretrained(str(adapter))
    shutil.copytree(stories, merged)
    theirs.merge_and_unload().save_pretrained(merged)
    language = loading.load(Resolved(name="merged", folder=merged))
    gguf_writer.write(language, packed, precision="q8_0")
    found = [call("eval", model, "--data", chats, "--json").json for model in (adapter, merged, packed)]
    perplexities = [report["scores"]["perplexity"] for report in found]
    assert perplexities[0] == pytest.approx(perplexities[1], rel=1e-5)
    assert perplexities[2] == pytest.approx(perplexities[1], rel=0.05)
    assert perplexities[2] != perplexities[1]
    assert [len(report["samples"]) for report in found] == [2, 2, 2]


def test_models_at_an_address_have_the_reports_of_the_same_models_here(call, router, stories, chats, tickets):
    resolved = [Resolved(name="router", folder=Path(router.folder)), Resolved(name="stories", folder=stories)]
    with serving([deploy(loading.load(each)) for each in resolved]) as url:
        here = call("eval", "router", "--data", tickets, "--json").json
        there = call("eval", f"{url}/v1#router", "--data", tickets, "--json").json
        spoken = call("eval", f"{url}/v1#stories", "--data", chats, "--json").json
        assert call("eval", url, "--data", tickets).code == 2
        assert call("eval", f"{url}#nobody", "--data", tickets).code == 4
        compared = call(
            "runs", "compare", "router", f"{url}#router", "tfidf", "--data", tickets, "--json"
        ).json
    assert {**there, "model": "", "seconds": 0, "provenance": 0, "pace": 0} == {
        **here, "model": "", "seconds": 0, "provenance": 0, "pace": 0,
    }  # fmt: skip
    assert set(spoken["scores"]) == {"rouge_l", "chrf"}
    assert [sample["expected"] for sample in spoken["samples"]][1] == "She went to the park."
    assert compared["scores"]["accuracy"][:2] == [1, 1]


def test_an_address_that_everybody_could_read_along_is_refused(call, tickets):
    said = call("eval", "http://example.org/v1#m", "--data", tickets)
    assert (said.code, "M64" in said.err) == (2, True)


def test_more_metrics_are_named_and_those_of_a_file_have_intervals(call, router, tickets, tmp_path):
    own = "from tunesmith.eval.sums import hits, summed\n\n\n@summed\ndef short(outcome):\n"
    (tmp_path / "lengths.py").write_text(
        own + "    return hits([len(text) < 20 for text in outcome.texts])\n"
    )
    named = [part for name in ("mcc", "roc_auc", "lengths.py:short") for part in ("--metric", name)]
    report = call("eval", "router", "--data", tickets, *named, "--json").json
    assert report["scores"]["mcc"] == report["scores"]["roc_auc"] == 1
    assert report["intervals"].keys() >= {"mcc", "roc_auc", "lengths:short"}
    assert call("eval", "router", "--data", tickets, "--metric", "mccc").code == 3


def test_a_column_of_the_file_on_which_a_model_is_worse_is_told(call, router, tickets, tmp_path):
    rows = [line.rsplit(",", 1) for line in tickets.read_text("utf-8").splitlines()[1:]] * 20
    labels = {label for _, label in rows}
    path = tmp_path / "channels.csv"
    path.write_text("text,label,channel\n", "utf-8")
    with path.open("a", encoding="utf-8") as file:
        for i, (text, label) in enumerate(rows):
            wrong = (labels - {label}).pop()
            file.write(f"{text},{label if i % 5 else wrong},{'mail' if i % 5 else 'fax'}\n")
    said = call("eval", "router", "--data", path, "--slice", "channel")
    assert "channel fax" in said.out
    assert "channel mail" not in said.out
    assert call("eval", "router", "--data", path, "--slice", "chanel").code == 3
