"""tunesmith data: every data set there is can be looked at, cleaned, divided, converted and doubted."""

from __future__ import annotations

import json

import polars as pl
import pytest

from tunesmith.data.ledger import Ledger

MESSY_ERRORS = {"empty.csv": 3, "empty.jsonl": 3, "header_only.csv": 3}


def test_every_hard_case_is_shown_or_refused_with_its_place(call, shared_data):
    for path in sorted((shared_data / "messy").rglob("*")):
        if path.is_dir() or path.name in ("EXPECTED.json", "SOURCE.md"):
            continue
        said = call("data", "show", path, "--json")
        assert said.code == MESSY_ERRORS.get(path.name, 0), (path, said)
        if said.code:
            (problem,) = said.json["problems"]
            assert path.name in problem["file"]
            assert "Traceback" not in said.err
        else:
            ledger = said.json["ledger"]
            gone = ledger["duplicate"] + sum(ledger["dropped"].values())
            assert ledger["read"] == ledger["used"] + gone > 0


def test_rows_are_shown_with_their_places_and_mapping(call, tickets):
    said = call("data", "show", tickets, "--rows", 2)
    assert said.code == 0
    assert "text ← message, label ← topic" in said.out
    assert "tickets.csv:2" in said.out
    assert "where is my card" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            {"tokens": ["I", "love", "New", "York"], "ner_tags": ["O", "O", "B-city", "I-city"]},
            ["spans   New York → city", "tokens  I | love | New | York"],
        ),
        (
            {"question": "Who?", "context": "Ann did.", "answers": {"text": ["Ann"], "answer_start": [0]}},
            ["answers   Ann@0"],
        ),
        ({"text": "both", "labels": ["a", "b"]}, ["labels  a, b"]),
    ],
)
def test_lists_are_shown_as_people_write_them(call, tmp_path, row, expected):
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    said = call("data", "show", "a.jsonl")
    assert all(line in said.out for line in expected), said
    assert "{" not in said.out


def test_cleaning_accounts_for_every_row_and_keeps_other_columns(call, tmp_path):
    rows = [
        {"id": 1, "text": "Write to  ann@example.com"},
        {"id": 2, "text": "write to ann@example.com"},
        {"id": [3], "text": "<b>something</b> else"},
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\nbroken", "utf-8")
    chain = "strip_html, mask_pii, {name: dedup, near: null}"
    said = call("data", "clean", "a.jsonl", "--clean", chain, "--out", "b.jsonl", "--json")
    assert said.code == 0
    made = said.json
    assert made["ledger"] == {
        "read": 4, "used": 2, "truncated": 0, "duplicate": 1, "dropped": {"broken": 1}, "held_out": {},
    }  # fmt: skip
    assert made["cleaned"]["mask_pii"] == {"EMAIL": 2, "changed": 2}
    written = [json.loads(line) for line in (tmp_path / "b.jsonl").read_text("utf-8").splitlines()]
    assert written == [{"id": 1, "text": "Write to  [EMAIL]"}, {"id": [3], "text": "something else"}]
    ledger = Ledger.load(tmp_path / made["ledger_file"])
    assert ledger.frame["state"].to_list() == ["used", "duplicate", "used", "dropped"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.jsonl",
        "b.jsonl",
        "b.jsonl.ledger.parquet",
    ]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "xlsx"])
def test_clean_rows_keep_the_names_and_order_of_their_columns(call, tmp_path, suffix):
    lines = [f"{i},ab{i % 2},say  number {i * 7919 % 1009},2024-01-{i + 10}" for i in range(20)]
    (tmp_path / "a.csv").write_text("id,topic,message,day\n" + "\n".join(lines), "utf-8")
    fields = ("--fields", "text=message", "--fields", "label=topic")
    assert call("data", "clean", "a.csv", *fields, "--clean", "normalise", "--out", f"b.{suffix}").code == 0
    again = call("data", "show", f"b.{suffix}", *fields, "--json").json
    assert (again["rows"][0]["text"], again["rows"][0]["label"]) == ("say number 0", "ab0")
    if suffix == "parquet":
        columns = pl.read_parquet(tmp_path / "b.parquet").columns
    elif suffix == "jsonl":
        columns = list(json.loads((tmp_path / "b.jsonl").read_text("utf-8").splitlines()[0]))
    elif suffix == "xlsx":
        columns = pl.read_excel(tmp_path / "b.xlsx").columns
    else:
        columns = pl.read_csv(tmp_path / "b.csv").columns
    assert columns == ["id", "topic", "message", "day"]
    split = ("--similar", 1, "--out", "parts", "--format", suffix)
    assert call("data", "split", "a.csv", *fields, *split).code == 0
    assert call("data", "show", f"parts/train.{suffix}", *fields).code == 0
    assert call("data", "convert", "a.csv", *fields, "--out", "c.jsonl").code == 0
    converted = json.loads((tmp_path / "c.jsonl").read_text("utf-8").splitlines()[0])
    assert converted.keys() == {"id", "day", "text", "label"}


def test_kept_cells_are_of_one_kind_however_long_the_file_is(call, tmp_path):
    rows = [{"text": f"text {i}", "n": i, "x": 0.5 if i else 1, "m": i} for i in range(120_000)]
    rows += [{"text": "last", "n": 7, "x": 2, "m": [1], "new": True}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    assert (tmp_path / "a.jsonl").stat().st_size > 4 * 1024 * 1024  # more than one batch
    assert call("data", "convert", "a.jsonl", "--out", "b.parquet", "--task", "generate").code == 0
    made = pl.read_parquet(tmp_path / "b.parquet")
    assert made.schema == {
        "n": pl.Int64, "x": pl.Float64, "m": pl.String, "new": pl.Boolean, "text": pl.String
    }  # fmt: skip
    assert made.row(-1) == (7, 2.0, "[1]", True, "last")
    assert made.row(1) == (1, 0.5, "1", None, "text 1")


def test_a_preview_changes_nothing(call, tmp_path):
    (tmp_path / "a.txt").write_text("call 13800130001 now\nnothing here\n", "utf-8")
    said = call("data", "clean", "a.txt", "--clean", "normalise,mask_pii", "--preview", 2, "--lang", "zh")
    assert said.code == 0
    assert "- call 13800130001 now" in said.out
    assert "+ call [PHONE] now" in said.out
    assert "没有改动" in said.out
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_preview_names_file_and_line_of_rows_in_every_file(call, shared_data, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "a b"}\n\n{"text": "mail ann@example.com"}\n', "utf-8")
    (tmp_path / "b.jsonl").write_text('{"text": "mail li@example.com"}\n{"text": "A  b"}\n', "utf-8")
    said = call("data", "clean", "a.jsonl", "b.jsonl", "--clean", "mask_pii,dedup,normalise", "--preview", 5)
    assert said.code == 0
    masked, repeated, normalised = said.out.split("dedup")[0], *said.out.split("dedup")[1].split("normalise")
    assert "a.jsonl:3" in masked
    assert "b.jsonl:1" in masked
    assert "× duplicate" in repeated  # the masked texts differ no more, nor do a and A
    assert "A  b" not in normalised  # what is gone is not shown again
    nested = shared_data / "messy" / "nested_under_key.json"  # all rows on one line
    assert call("data", "clean", nested, "--clean", "normalise,dedup", "--preview").code == 0


def test_a_preview_takes_the_columns_that_a_description_names(call, tmp_path):
    told = {"mine": {"file_name": "a.jsonl", "columns": {"prompt": "q", "response": "r"}}}
    (tmp_path / "dataset_info.json").write_text(json.dumps(told), "utf-8")
    (tmp_path / "a.jsonl").write_text('{"q": "Who?", "r": "ann@example.com"}\n', "utf-8")
    words = ("dataset_info.json#mine", "--task", "chat", "--clean", "mask_pii", "--preview")
    said = call("data", "clean", *words)
    assert (said.code, "[EMAIL]" in said.out) == (0, True), said


def test_parts_hold_each_row_once_and_groups_together(call, tmp_path):
    lines = [f"message number {i * 7919 % 1009} of them,{'ab'[i % 2]},c{i // 5}" for i in range(60)]
    (tmp_path / "a.csv").write_text("text,label,customer\n" + "\n".join(lines), "utf-8")
    arguments = ("--test", 0.2, "--validation", 0.1, "--group", "customer", "--similar", 1)
    said = call("data", "split", "a.csv", "--out", "parts", *arguments, "--json")
    assert said.code == 0
    parts = {name: pl.read_csv(tmp_path / "parts" / f"{name}.csv") for name in said.json["rows"]}
    assert sum(map(len, parts.values())) == 60
    customers = [set(part["customer"]) for part in parts.values()]
    assert sum(map(len, customers)) == len(set.union(*customers)) == 12
    assert Ledger.load(tmp_path / "parts" / "ledger.parquet").summary() == said.json["ledger"]


def test_parts_of_two_divisions_never_lie_in_one_folder(call, tmp_path):
    lines = [f"message number {i * 7919 % 1009} of them,{'ab'[i % 2]}" for i in range(40)]
    (tmp_path / "a.csv").write_text("text,label\n" + "\n".join(lines), "utf-8")
    split = ("data", "split", "a.csv", "--out", "parts", "--similar", 1)
    assert call(*split, "--validation", 0.2).code == 0
    assert call(*split, "--validation", 0.2, "--seed", 1).code == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "parts").iterdir()}
    for other in (("--validation", 0), ("--format", "jsonl")):
        said = call(*split, *other)
        assert said.code == 3
        assert "validation.csv" in said.err
        assert {path.name: path.read_bytes() for path in (tmp_path / "parts").iterdir()} == before


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("a.csv", ("--format", "json"), "json"),
        ("a.csv", ("--format", ".TSV"), "tsv"),
        ("a.csv", (), "csv"),
        ("a.data", (), "jsonl"),
    ],
)
def test_parts_have_the_ending_asked_for_or_that_of_the_source(call, tmp_path, name, given, expected):
    folder = tmp_path / "source"
    folder.mkdir()
    lines = [f"message number {i * 7919 % 1009} of them,{'ab'[i % 2]}" for i in range(40)]
    (folder / name).write_text("text,label\n" + "\n".join(lines), "utf-8")
    assert call("data", "split", "source", "--out", "parts", "--similar", 1, *given).code == 0
    assert {path.suffix for path in (tmp_path / "parts").glob("t*.*")} == {f".{expected}"}


@pytest.mark.parametrize(("to", "suffix"), [("alpaca", "json"), ("sharegpt", "jsonl"), (None, "parquet")])
def test_conversations_are_converted_and_stay_the_same(call, shared_data, tmp_path, to, suffix):
    source = shared_data / "sft_alpaca_demo" / "identity.json"
    layout = ("--to", to) if to else ()
    assert call("data", "convert", source, "--out", f"b.{suffix}", *layout).code == 0
    before, after = (
        call("data", "show", path, "--rows", 1000, "--json").json for path in (source, f"b.{suffix}")
    )
    assert [row["messages"] for row in before["rows"]] == [row["messages"] for row in after["rows"]]
    assert len(after["rows"]) == 91


def test_an_own_cleaner_that_fails_is_named(call, tickets, tmp_path):
    (tmp_path / "mine_that_fails.py").write_text("def odd(frame):\n    return frame / 'a'\n", "utf-8")
    words = ("--clean", '"mine_that_fails:odd"', "--code", "mine_that_fails.py")
    for end in (("--out", "b.csv"), ("--preview",)):
        said = call("data", "clean", "tickets.csv", *words, *end)
        assert said.code == 3
        assert "error[D27]: the cleaner `mine_that_fails:odd`" in said.err
        assert "raised" in said.err
    assert not (tmp_path / "b.csv").exists()


def test_what_a_recipe_says_cannot_be_said_beside_it(call, tickets, tmp_path):
    recipe = (
        "task: classify\nmodel: minilm\ndata: {source: tickets.csv, fields: {text: message, label: topic}}\n"
    )
    (tmp_path / "r.yaml").write_text(recipe, "utf-8")
    both = ("--recipe", "r.yaml", "tickets.csv", "--task", "chat", "--fields", "text=a", "--json")
    said = call("data", "clean", *both, "--clean", "dedup", "--out", "b.csv")
    assert said.code == 2
    told = [problem["message"].split()[0] for problem in said.json["problems"]]
    assert told == ["FILE", "--task", "--fields", "--clean"]
    assert call("data", "profile", *both).code == 2
    assert call("data", "clean", "--recipe", "r.yaml", "--out", "b.csv").code == 0


@pytest.mark.parametrize("sides", [{"translation": {"en": "a cat", "zh": "猫"}}, {"en": "a cat", "zh": "猫"}])
def test_lines_are_named_by_their_languages(call, tmp_path, sides):
    (tmp_path / "a.jsonl").write_text(json.dumps(sides) + "\n", "utf-8")
    said = call("data", "convert", "a.jsonl", "--task", "paired", "--to", "lines", "--out", "y.txt")
    assert said.code == 0
    assert "written: y.en.txt\nwritten: y.zh.txt" in said.out
    assert (tmp_path / "y.zh.txt").read_text("utf-8") == "猫\n"
    # The files that are read are not those that are written.
    again = ("data", "convert", "y.{en,zh}.txt", "--task", "paired", "--to", "lines", "--out")
    assert call(*again, "y.txt").code == 2
    assert call(*again, "z.txt").code == 0


def test_files_are_named_from_the_current_folder(call, tickets, tmp_path):
    for name in (tickets, "tickets.csv", "*.csv"):
        found = call("data", "profile", name, "--json").json
        assert [file["path"] for file in found["files"]] == ["tickets.csv"]
    (tmp_path / "r.jsonl").write_text('{"text": "a", "label": null}\n' * 2, "utf-8")
    said = call("data", "split", "r.jsonl", "--task", "classify", "--out", "parts", "--json")
    assert str(tmp_path) not in said.out


def test_one_of_several_described_data_sets_has_to_be_named(call, tmp_path):
    told = {name: {"file_name": f"{name}.jsonl"} for name in ("identity", "other")}
    (tmp_path / "dataset_info.json").write_text(json.dumps(told), "utf-8")
    said = call("data", "show", "dataset_info.json")
    assert said.code == 3
    assert "error[D92]" in said.err
    assert "hint: for instance `dataset_info.json#identity`" in said.err
    assert "error[D43]" in call("data", "show", "dataset_info.json#oter").err


def test_rows_that_a_later_part_repeats_are_dropped_on_demand(call, tmp_path):
    lines = [f"message number {i * 7919 % 1009} of them,{'ab'[i % 2]},2024-01-{i + 1:02}" for i in range(20)]
    again = lines[0].replace("2024-01-01", "2024-03-01")
    (tmp_path / "a.csv").write_text("\n".join(["text,label,day", *lines, again]), "utf-8")
    split = ("data", "split", "a.csv", "--time", "day", "--test", 0.2, "--similar", "off", "--out")
    assert "error[D80]" in call(*split, "b").err
    said = call(*split, "c", "--overlap", "drop", "--json")
    assert (said.code, said.json["ledger"]["dropped"]) == (0, {"overlap": 1})
    assert call(*split, "d", "--similar", "2").code == 2


def test_doubts_are_listed_by_kind_and_written(call, tmp_path):
    qa = {"question": "Who?", "context": "Ann did it.", "answers": {"text": ["Bob"], "answer_start": [0]}}
    good = {**qa, "question": "Who did?", "answers": {"text": ["Ann"], "answer_start": [0]}}
    (tmp_path / "qa.jsonl").write_text("\n".join(map(json.dumps, [qa, good, good])), "utf-8")
    said = call("data", "issues", "qa.jsonl", "--out", "doubts.jsonl")
    assert said.code == 0
    assert "answers that do not stand in their text  1" in said.out
    assert "says the same as qa.jsonl:2\n" in said.out
    assert "\n2 doubts\n" in said.out
    assert "--out FILE writes all of them" in call("data", "issues", "qa.jsonl").out
    written = [json.loads(line) for line in (tmp_path / "doubts.jsonl").read_text("utf-8").splitlines()]
    assert {(issue["kind"], issue["line"]) for issue in written} == {("answer_absent", 1), ("duplicate", 3)}


def test_a_profile_has_the_keys_scripts_rely_on_and_a_page(call, tickets, tmp_path):
    said = call("data", "profile", tickets, "--out", "page.html", "--json")
    assert said.code == 0
    found = said.json
    assert {"rows", "columns", "encoding", "format", "mapping", "problems"} <= found.keys()
    assert (found["rows"], found["format"], found["mapping"]["label"]) == (8, "csv", "topic")
    assert found["card"]["command"] == f"tunesmith data profile {tickets}"
    same = call("data", "profile", tickets, "--task", "classify", "--fields", "text=message", "--json")
    assert same.json["card"]["command"].endswith(".csv --task classify --fields text=message")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.lower().startswith("<!doctype html>")
    (tmp_path / "b.csv").write_text("text,label\na question,x\na question,x\nanother,y\nmore,\n", "utf-8")
    said = call("data", "profile", "b.csv", "--lang", "zh")
    assert said.code == 0
    assert "    data: {clean: [dedup]}" in said.out


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("show",), 2, "error[U01]: missing: FILE"),
        (("show", "none.csv"), 4, "error[D01]"),
        (("show", "tickets.csv", "--task", "clasify"), 3, "did you mean `classify`"),
        (("show", "tickets.csv", "--fields", "text"), 2, "error[U07]"),
        (("show", "tickets.csv", "--fields", "text=mesage"), 3, "did you mean `message`"),
        (("clean", "tickets.csv"), 2, "error[U01]: missing: --out"),
        (("clean", "tickets.csv", "--clean", "normalize", "--out", "x.csv"), 3, "did you mean `normalise`"),
        (("clean", "tickets.csv", "--clean", "{name: dedup, near: 3}", "--out", "x.csv"), 3, "near"),
        (("clean", "tickets.csv", "--clean", "{", "--out", "x.csv"), 3, "error[D89]"),
        (("clean", "tickets.csv", "--clean", "[2024-99-99]", "--out", "x.csv"), 3, "error[D89]"),
        (("clean", "tickets.csv", "--clean", "[!!int x]", "--out", "x.csv"), 3, "error[D89]"),
        (("clean", "tickets.csv", "--clean", "[" * 3000, "--out", "x.csv"), 3, "error[D89]"),
        (("clean", "tickets.csv", "--clean", "nope", "--out", "x.csv"), 3, "--> --clean  (nope)"),
        (("clean", "tickets.csv", "--clean", "{name: dedup, near: 3}", "--out", "x"), 3, "(dedup.near)"),
        (("clean", "tickets.csv", "--clean", "3", "--out", "x.csv"), 3, "`3` is 3"),
        (
            ("split", "tickets.csv", "--out", "x", "--test", "0.6", "--validation", "0.5"),
            3,
            "--> --test, --validation",
        ),
        (("convert", "tickets.csv", "--to", "squad", "--out", "x.jsonl"), 3, "error[D56]"),
        (("convert", "tickets.csv", "--out", "x.pdf"), 3, "what fits: text_label (.jsonl, .json, .csv, "),
        (("show", "none.csv"), 4, "--> none.csv"),
        (("split", "tickets.csv", "--out", "parts", "--group", "customer"), 3, "error[D06]"),
        (("split", "tickets.csv", "--out", "parts", "--test", "2"), 2, "error[U01]"),
        (("split", "tickets.csv", "--out", "parts", "--format", "../../x.csv"), 2, "error[U10]"),
        (("split", "tickets.csv", "--out", "tickets.csv"), 2, "error[D90]"),
        (("split", "tickets.csv", "--out", "tickets.csv/x"), 2, "error[D90]"),
        (("convert", "tickets.csv", "--out", "."), 2, "error[D90]"),
        (("convert", "tickets.csv", "--out", "./tickets.csv"), 2, "error[U08]"),
        (("clean", "tickets.csv", "--out", "tickets.csv"), 2, "error[U08]"),
        (("clean", "tickets.csv", "--out", "tickets.csv/x.csv"), 2, "error[D90]"),
        (("profile", "tickets.csv", "--model", "tfidf"), 3, "error[D91]"),
        (("profile", "tickets.csv", "--model", "nothing-of-that-name"), 4, "error[M01]"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(call, tickets, tmp_path, words, code, expected):
    said = call("data", *words)
    assert said.code == code, said
    assert expected in said.err
    assert "Traceback" not in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["tickets.csv"]
