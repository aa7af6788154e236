"""Every real data set is recognised from its path alone, and its rows can be used."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tunesmith.data.layouts import REASON_CODES
from tunesmith.data.mapping import mapper, recognise
from tunesmith.data.reading import read

# Path, layout, shape, usable rows, and the reasons of the others.
SETS: list[tuple[str, str, str, int, dict[str, int]]] = [
    ("chat_fastchat/dummy_conversation.json", "sharegpt", "messages", 500, {}),
    ("chat_fastchat/mt_bench_question.jsonl", "questions", "messages", 0, {"empty_answer": 80}),
    ("chat_kdconv_zh_dev/film_dev.json", "alternating", "messages", 148, {"role_order": 2}),
    ("chat_kdconv_zh_dev/music_dev.json", "alternating", "messages", 150, {}),
    ("chat_kdconv_zh_dev/travel_dev.json", "alternating", "messages", 149, {"role_order": 1}),
    ("cls_banking77/train.csv", "text_label", "labelled", 10003, {}),
    ("cls_banking77/test.csv", "text_label", "labelled", 3080, {}),
    ("cls_cold_zh_dev/dev.csv", "text_label", "labelled", 6431, {}),
    ("cls_csl_zh/cls_ctg_dev.tsv", "text_label", "labelled", 1000, {}),
    ("cls_csl_zh/cls_ctg_train.tsv", "text_label", "labelled", 8000, {}),
    ("cls_csl_zh/cls_dcp_dev.tsv", "text_label", "labelled", 1000, {}),
    ("cls_rt_polarity/rt-polarity.neg", "text", "text", 4264, {}),
    ("cls_sms_spam/SMSSpamCollection", "text_label", "labelled", 5574, {}),
    ("code_humaneval/HumanEval.jsonl", "prompt_completion", "messages", 164, {}),
    ("exam_agieval/gaokao-biology.jsonl", "options", "labelled", 210, {}),
    ("exam_agieval/gaokao-english.jsonl", "options", "labelled", 306, {}),
    ("exam_agieval/gaokao-geography.jsonl", "options", "labelled", 199, {}),
    ("exam_agieval/gaokao-history.jsonl", "options", "labelled", 235, {}),
    ("exam_agieval/sat-math.jsonl", "options", "labelled", 220, {}),
    ("math_gsm8k_train/train.jsonl", "question_answer", "messages", 7473, {}),
    ("mt_ntrex/ntrex.zh-CN.txt", "text", "text", 1300, {}),
    ("mt_tatoeba_en_zh/cmn.tsv", "pair", "paired", 18088, {}),
    ("ner_uner_zh/zh_gsdsimp-ud-dev.iob2", "conll", "tagged", 500, {}),
    ("ner_uner_zh/zh_gsdsimp-ud-train.iob2", "conll", "tagged", 3997, {}),
    ("ner_wnut17/emerging.dev.conll", "conll", "tagged", 1009, {}),
    ("ner_wnut17/emerging.test.annotated", "conll", "tagged", 1287, {}),
    ("ner_wnut17/wnut17train.conll", "conll", "tagged", 3394, {}),
    ("pref_llamafactory_demo/dpo_en_demo.json", "ranking", "preferred", 200, {}),
    ("pref_llamafactory_demo/dpo_zh_demo.json", "ranking", "preferred", 200, {}),
    ("pref_llamafactory_demo/kto_en_demo.json", "kto", "rated", 200, {}),
    ("qa_cmrc2018_dev/cmrc2018_dev.json", "squad", "answered", 3219, {}),
    ("qa_xquad/xquad.de.visible.json", "squad", "answered", 826, {}),
    ("qa_xquad/xquad.en.visible.json", "squad", "answered", 826, {}),
    ("qa_xquad/xquad.zh.visible.json", "squad", "answered", 826, {}),
    ("sft_alpaca_demo/alpaca_en_demo.json", "alpaca", "messages", 799, {}),
    ("sft_alpaca_demo/alpaca_zh_demo.json", "alpaca", "messages", 800, {}),
    ("sft_alpaca_demo/identity.json", "alpaca", "messages", 91, {}),
    ("sft_self_instruct/seed_tasks.jsonl", "self_instruct", "messages", 175, {}),
    ("sft_self_instruct/user_oriented_instructions.jsonl", "self_instruct", "messages", 252, {}),
    ("slot_snips/train_AddToPlaylist_full.json", "snips", "tagged", 1942, {}),
    ("slot_snips/train_RateBook_full.json", "snips", "tagged", 1956, {}),
    ("sum_csl_zh/kg_dev.tsv", "pair", "paired", 1000, {}),
    ("sum_csl_zh/ts_dev.tsv", "pair", "paired", 1000, {}),
    ("sum_scitldr/dev.jsonl", "sentences", "paired", 619, {}),
    ("sum_scitldr/train.jsonl", "sentences", "paired", 1992, {}),
    ("text_alice/11-0.txt", "text", "text", 881, {}),
    ("text_chinese_poetry/ci.song.1000.json", "passages", "text", 1000, {}),
    ("text_chinese_poetry/guwenguanzhi.json", "passages", "text", 12, {}),
    ("text_chinese_poetry/lunyu.json", "passages", "text", 20, {}),
    ("text_chinese_poetry/nalan.json", "passages", "text", 258, {}),
    ("text_chinese_poetry/tang300.json", "passages", "text", 366, {}),
    ("text_tinyshakespeare/input.txt", "text", "text", 7222, {}),
    ("text_wiki_demo/wiki_demo.txt", "text", "text", 30, {}),
    ("toolcall_glaive_demo/glaive_toolcall_en_demo.json", "sharegpt", "messages", 200, {}),
    ("toolcall_glaive_demo/glaive_toolcall_zh_demo.json", "sharegpt", "messages", 199, {"role_order": 1}),
    ("messy/de_fr_cp1252.csv", "pair", "paired", 200, {}),
    ("messy/zh_tw_big5.tsv", "pair", "paired", 150, {}),
    ("messy/no_header.csv", "text_label", "labelled", 60, {}),
    ("messy/noise_pii.jsonl", "text", "text", 120, {}),
    ("messy/sheet.xlsx", "text_label", "labelled", 60, {}),
]


@pytest.mark.parametrize(
    ("path", "layout", "shape", "usable", "others"), SETS, ids=[case[0] for case in SETS]
)
def test_a_real_set_is_recognised(
    shared_data: Path, path: str, layout: str, shape: str, usable: int, others: dict[str, int]
) -> None:
    table = read(shared_data / path)
    found = mapper(table, recognise(table), {})
    frame = found(table)
    reasons = dict(frame["_bad"].drop_nulls().value_counts().iter_rows())
    assert (found.kind, found.shape, reasons) == (layout, shape, others)
    assert frame["_bad"].null_count() == usable
    assert others.keys() <= REASON_CODES.keys()


@pytest.mark.parametrize(
    "path",
    [
        "toolcall_glaive_demo/glaive_toolcall_zh_demo.json",
        "qa_cmrc2018_dev/cmrc2018_dev.json",
        "sum_scitldr/dev.jsonl",
        "cls_csl_zh/cls_ctg_dev.tsv",
        "text_chinese_poetry/tang300.json",
        "ner_wnut17/emerging.dev.conll",
    ],
)
def test_a_table_in_pieces_gives_the_same_rows(shared_data: Path, path: str) -> None:
    table = read(shared_data / path)
    found = mapper(table, recognise(table), {})
    cuts = [0, 1, 2, 7, 50, table.frame.height]
    pieces: list[Any] = [
        replace(table, frame=table.frame[a:b], lines=table.lines[a:b]) for a, b in pairwise(cuts)
    ]
    assert pl.concat([found(piece) for piece in pieces]).equals(found(table))
