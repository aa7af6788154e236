"""A corpus of any size from real sentences, with planted repeats, dirt, personal data and junk.

Documents are strung together from spans of real English and Chinese texts at random, so that two of them have
no more in common than a span, unless one is planted as a repeat of the other. Everything follows from a seed.
"""

from __future__ import annotations

import html
import itertools
import json
import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 7
_SENTENCE_EN, _SENTENCE_ZH = re.compile(r"(?<=[.!?])\s+"), re.compile(r"(?<=[。！？])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A row of the corpus: `kind` says what was planted, `of` in which document, if it is a repeat.

    `meant` is the text without the planted dirt, and with [EMAIL] and so on for planted personal data.
    """

    id: int
    text: str
    meant: str
    kind: str
    of: int | None = None


def write(shared: Path, folder: Path, megabytes: int) -> tuple[Path, Path]:
    """The corpus as JSON Lines of `id` and `text`, and what was planted; kept when already there."""
    corpus, plants = folder / f"corpus-{megabytes}.jsonl", folder / f"plants-{megabytes}.jsonl"
    if plants.exists():
        return corpus, plants
    folder.mkdir(parents=True, exist_ok=True)
    left = megabytes * 1_000_000
    unfinished = plants.with_suffix(".part")
    with corpus.open("w", encoding="utf-8") as rows, unfinished.open("w", encoding="utf-8") as notes:
        for document in documents(shared):
            line = _line({"id": document.id, "text": document.text})
            rows.write(line)
            note = {"id": document.id, "kind": document.kind, "of": document.of, "meant": document.meant}
            notes.write(_line(note))
            left -= len(line.encode())
            if left <= 0:
                break
    unfinished.rename(plants)
    return corpus, plants


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def documents(shared: Path, seed: int = SEED) -> Iterator[Document]:
    """Documents without end: 62 in 100 are clean and new, the others are planted."""
    dice = random.Random(seed)
    pools = (sentences_en(shared), sentences_zh(shared))
    recent: list[tuple[int, str]] = []
    for number in itertools.count():
        kind = dice.choices(_KINDS, _SHARES)[0] if recent else "clean"
        of, original = None, ""
        if kind in _REPEATS:
            of, original = dice.choice(recent)
        elif kind != "junk":
            original = _fresh(pools, dice)
        text, meant = _PLANTS[kind](original, dice)
        if kind in ("clean", "near"):
            _remember(recent, (number, text), dice)
        yield Document(id=number, text=text, meant=meant, kind=kind, of=of)


_KINDS = ("clean", "exact", "spaces", "near", "dirt", "personal", "junk")
_SHARES = (62, 11, 2, 12, 5, 5, 3)
_REPEATS = ("exact", "spaces", "near")
_REMEMBERED = 5000


def _remember(recent: list[tuple[int, str]], document: tuple[int, str], dice: random.Random) -> None:
    if len(recent) < _REMEMBERED:
        recent.append(document)
    else:
        recent[dice.randrange(_REMEMBERED)] = document


def _fresh(pools: tuple[list[str], list[str]], dice: random.Random) -> str:
    chinese = dice.random() < 0.35
    pool, between = (pools[1], "") if chinese else (pools[0], " ")
    wanted = min(6000.0, dice.lognormvariate(5.0 if chinese else 6.2, 0.8))
    parts: list[str] = []
    while sum(map(len, parts)) < wanted or not parts:
        start = dice.randrange(len(pool) - 1)
        parts += pool[start : start + dice.randint(1, 2)]
    return between.join(parts)


def _unchanged(text: str, dice: random.Random) -> tuple[str, str]:
    return text, text


def _respaced(text: str, dice: random.Random) -> tuple[str, str]:
    spaces = (" ", "  ", "\t", " \n", "\u00a0")
    spaced = "".join(dice.choice(spaces) if c == " " and dice.random() < 0.3 else c for c in text)
    return "  " + spaced + "\n", text


def _edited(text: str, dice: random.Random) -> tuple[str, str]:
    """Runs of up to four characters shuffled, left out or put in, for 0.5 to 20 % of the text."""
    letters = list(text)
    rate = dice.choice((0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2))
    for _ in range(max(1, round(rate * len(text) / 4))):
        at = dice.randrange(len(letters))
        run = min(4, len(letters) - at)
        change = dice.randrange(3)
        if change == 0:
            letters[at : at + run] = dice.sample(letters, run)
        elif change == 1 and len(letters) > 20:
            del letters[at : at + run]
        else:
            letters[at:at] = dice.sample(letters, run)
    text = "".join(letters)
    return text, text


def _soiled(text: str, dice: random.Random) -> tuple[str, str]:
    kind = dice.randrange(5)
    if kind == 0:
        return _misread(text)
    if kind == 1:
        marked = html.escape(text).replace(". ", ".</p> <p>")
        return f"<div><p>{marked}</p></div>", text
    if kind == 2:
        return text.translate(_WIDE), text
    if kind == 3:
        return "".join(c + ("\u200b" if dice.random() < 0.05 else "") for c in text), text
    return text.replace(" ", "\r\n", 3) + "\x00\x07\ufeff", text


def _misread(text: str) -> tuple[str, str]:
    """UTF-8 read as another encoding: curly apostrophes as cp1252, Chinese as Latin-1."""
    if text.isascii():
        meant = text.replace("'", "’")
        return meant.encode().decode("cp1252"), meant
    return text[:200].encode().decode("latin-1"), text[:200]


def _with_personal_data(text: str, dice: random.Random) -> tuple[str, str]:
    value, kind = dice.choice(
        (
            (f"user{_digits(4, dice)}@example{dice.randrange(50)}.com", "EMAIL"),
            (f"1{dice.choice('3456789')}{_digits(9, dice)}", "PHONE"),
            (f"(415) {dice.randint(200, 999)}-{_digits(4, dice)}", "PHONE"),
            (".".join(str(dice.randint(1, 254)) for _ in range(4)), "IP"),
            (_chinese_id(dice), "ID"),
            (_card(_digits(15, dice)), "CARD"),
        )
    )
    at = dice.randrange(len(text) + 1)
    return f"{text[:at]} {value} {text[at:]}", f"{text[:at]} [{kind}] {text[at:]}"


def _digits(count: int, dice: random.Random) -> str:
    return "".join(dice.choice(string.digits) for _ in range(count))


def _chinese_id(dice: random.Random) -> str:
    body = f"{dice.choice(('110101', '310104', '440305'))}{dice.randint(1950, 2005)}{dice.randint(1, 12):02d}"
    body += f"{dice.randint(1, 28):02d}{dice.randrange(1000):03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(w * int(c) for w, c in zip(weights, body, strict=True)) % 11]


def _card(digits: str) -> str:
    body = "4" + digits[1:]
    doubled = [int(c) * (2 if i % 2 == 0 else 1) for i, c in enumerate(body)]
    return body + str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def _junk(text: str, dice: random.Random) -> tuple[str, str]:
    kind = dice.randrange(4)
    if kind == 0:
        text = "".join(dice.choice("#$%^&*()_+=~|<>{}[]/\\") for _ in range(dice.randint(30, 300)))
    elif kind == 1:
        text = "ok"[: dice.randint(0, 2)]
    elif kind == 2:
        text = dice.choice(("click here to win now ", "点击这里领取大奖")) * dice.randint(20, 60)
    else:
        text = "".join(dice.choice("0123456789 -/.") for _ in range(dice.randint(30, 200)))
    return text, text


_PLANTS = {
    "clean": _unchanged,
    "exact": _unchanged,
    "spaces": _respaced,
    "near": _edited,
    "dirt": _soiled,
    "personal": _with_personal_data,
    "junk": _junk,
}
_WIDE = {ord(c): ord(c) + 0xFEE0 for c in string.ascii_letters + string.digits}


def sentences_en(shared: Path) -> list[str]:
    """Sentences of the English texts, in their order, of 30 to 600 characters."""
    texts = [" ".join(row["source"]) for row in _json_lines(shared / "sum_scitldr" / "train.jsonl")]
    texts += [
        row["question"] + " " + row["answer"] for row in _json_lines(shared / "math_gsm8k_train/train.jsonl")
    ]
    texts += [row["output"] for row in _json(shared / "sft_alpaca_demo" / "alpaca_en_demo.json")]
    texts += (shared / "text_wiki_demo" / "wiki_demo.txt").read_text("utf-8").splitlines()
    texts += (shared / "text_alice" / "11-0.txt").read_text("utf-8").split("\n\n")
    texts += (shared / "mt_ntrex" / "ntrex.en.txt").read_text("utf-8").splitlines()
    return _sentences(texts, _SENTENCE_EN, 30)


def sentences_zh(shared: Path) -> list[str]:
    """Sentences of the Chinese texts, in their order, of 10 to 600 characters."""
    cmrc = _json(shared / "qa_cmrc2018_dev" / "cmrc2018_dev.json")["data"]
    texts = [paragraph["context"] for article in cmrc for paragraph in article["paragraphs"]]
    for name in ("kg_dev.tsv", "ts_dev.tsv"):
        texts += [
            line.split("\t")[1] for line in (shared / "sum_csl_zh" / name).read_text("utf-8").splitlines()
        ]
    texts += [row["output"] for row in _json(shared / "sft_alpaca_demo" / "alpaca_zh_demo.json")]
    texts += (shared / "mt_ntrex" / "ntrex.zh-CN.txt").read_text("utf-8").splitlines()
    texts += ["".join(poem["paragraphs"]) for poem in _json(shared / "text_chinese_poetry" / "tang300.json")]
    return _sentences(texts, _SENTENCE_ZH, 10)


def _sentences(texts: list[str], ends: re.Pattern[str], least: int) -> list[str]:
    flat = (" ".join(sentence.split()) for text in texts for sentence in ends.split(text))
    return list(dict.fromkeys(sentence for sentence in flat if least <= len(sentence) <= 600))


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def _json_lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
