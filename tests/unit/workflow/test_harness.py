"""EleutherAI's harness on a model of ours: in this process, and by its own client through our server."""

from __future__ import annotations

import json
import math

import pytest

from tunesmith.core.errors import MissingError, NotFoundError
from tunesmith.core.workspace import Workspace
from tunesmith.eval import harness_scores
from tunesmith.eval.suites import prompts
from tunesmith.models import loading
from tunesmith.models.resolve import Resolved
from tunesmith.serve.deployment import deploy
from tunesmith.serve.server import serving
from tunesmith.workflow import harness, suites
from tunesmith.workflow.suites import Options

pytest.importorskip("lm_eval")
# What the harness and its libraries warn of is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore")

ROWS = 6
HEAD = """
dataset_path: json
dataset_kwargs: {{data_files: {{test: {rows}}}, cache_dir: {cache}}}
test_split: test
"""
TASKS = {
    "choose": """
output_type: multiple_choice
doc_to_text: "问题：{{question}}\\n答案："
doc_to_choice: "{{options}}"
doc_to_target: "{{['A', 'B', 'C', 'D'].index(label)}}"
target_delimiter: ""
metric_list: [{metric: acc}, {metric: acc_norm}]
""",
    "foresee": """
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{question}}"
metric_list: [{metric: bits_per_byte}]
""",
    "write": """
output_type: generate_until
doc_to_text: "{{question}}\\n"
doc_to_target: "{{label}}"
generation_kwargs: {until: ["."], max_gen_toks: 6}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
""",
}


@pytest.fixture(scope="module")
def stories(shared_data):
    return shared_data / "weights" / "stories260K-hf"


@pytest.fixture(scope="module")
def tasks(shared_data, tmp_path_factory):
    """A folder of task files, with their rows beside it."""
    folder = tmp_path_factory.mktemp("tasks")
    rows = folder / "rows.jsonl"
    lines = (shared_data / "exam_agieval" / "gaokao-history.jsonl").read_text("utf-8").splitlines()
    kept = [{k: v for k, v in json.loads(line).items() if k != "other"} for line in lines[:ROWS]]
    for row in kept:
        row["options"] = prompts.unlettered(row["options"])
    rows.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), "utf-8")
    for name, text in TASKS.items():
        head = HEAD.format(rows=rows, cache=folder / "cache")
        (folder / f"{name}.yaml").write_text(f"task: tiny_{name}{head}{text}", "utf-8")
    return folder


@pytest.fixture(scope="module")
def report(stories, tasks, tmp_path_factory):
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    return harness.measure(str(stories), str(tasks), workspace, Options())


def test_a_folder_of_tasks_becomes_a_report(report):
    names = [
        "tiny_choose/acc",
        "tiny_choose/acc_norm",
        "tiny_foresee/bits_per_byte",
        "tiny_write/exact_match",
    ]
    assert sorted(report.scores) == names
    assert report.directions["tiny_foresee/bits_per_byte"] == "lower"
    assert report.rows == report.ledger["used"] == 3 * ROWS
    for name in names[:3]:
        where = report.intervals[name]
        assert where.low <= report.scores[name] < where.high
    assert report.provenance.versions["lm_eval"]
    assert any("问题" in sample.prompt for sample in report.samples)


def test_its_own_client_gets_the_same_figures_through_our_server(stories, tasks, report):
    from lm_eval.models.openai_completions import LocalCompletionsAPI

    model = loading.load(Resolved(name="stories", folder=stories))
    with serving([deploy(model)]) as url:
        client = LocalCompletionsAPI(
            base_url=f"{url}/v1/completions",
            model="stories",
            tokenizer=str(stories),
            tokenizer_backend="huggingface",
            add_bos_token=True,
            max_length=model.context,
        )
        found = harness.results(client, str(tasks), Options())
    # To the last bit: sums of the same numbers in the same order.
    assert {name: value for name, (value, _) in harness_scores.scores(found).items()} == dict(report.scores)


SUITE = """
suite: 1
tasks:
  choose:
    {kind: choices, data: rows.jsonl, prompt: "问题：{question}\\n答案：", delimiter: "", options: options,
     answer: label, score: texts}
"""


def test_a_suite_of_ours_gets_the_figures_of_the_harness(stories, tasks, report, tmp_path):
    file = tmp_path / "suite.yaml"
    file.write_text(SUITE, "utf-8")
    mine = suites.measure(str(stories), str(file), Workspace(tmp_path), Options(folder=tasks)).report
    assert mine.scores["accuracy"] == report.scores["tiny_choose/acc"]
    assert mine.scores["accuracy_norm"] == report.scores["tiny_choose/acc_norm"]


def test_figures_that_are_sums_of_rows_have_intervals():
    rows = [{"acc": float(i < 3), "ppl": (-2.0, 2.0), "f1": i, "filter": "none"} for i in range(4)]
    said = {"acc,none": 0.75, "acc_stderr,none": "N/A", "ppl,none": math.e, "f1,none": 0.3, "alias": "t"}
    found = harness_scores.scores({"results": {"t": said}, "samples": {"t": rows}})
    assert set(found) == {"t/acc", "t/ppl", "t/f1"}
    assert found["t/acc"][1].low == pytest.approx(0.3006, abs=1e-3)  # Wilson's
    assert found["t/ppl"][1].high == pytest.approx(math.e)
    assert found["t/f1"][1] is None


def test_a_task_of_a_folder_is_named_among_its_others(tasks):
    assert harness.chosen("tiny_write", tasks)[1] == ["tiny_write"]
    assert set(harness.chosen(str(tasks), None)[1]) == {f"tiny_{name}" for name in TASKS}


@pytest.mark.faults
def test_an_unknown_task_is_answered_with_the_likest():
    # The files of all tasks of the harness are read for it, which takes most of a minute.
    with pytest.raises(NotFoundError, match="did you mean `arc_easy`"):
        harness.chosen("arc_eazy", None)


def test_the_harness_is_an_extra(stories, tmp_path, monkeypatch):
    monkeypatch.setattr(harness.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match=r"tunesmith\[harness\]"):
        harness.measure(str(stories), "arc_easy", Workspace(tmp_path), Options())
