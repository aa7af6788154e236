"""The text that tiny-zh-en learns from, as JSON Lines.

    python recipes/pretraining/corpus.py OUT --shared DIR

Everything but the free texts in DIR is written here, by patterns and words of this folder; the same seed
gives the same bytes on every machine.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import instructions
import library
import records
from lexicon import Scene, table, talks

from tunesmith.workflow.sample.dice import Dice

_GAPS = (" ", "")  # between sentences of English and of Chinese
_UNUSED = {(0xD7, cell) for cell in range(0xFA, 0xFF)}
Turns = list[tuple[str, str]]


def rows(count: int, seed: int) -> Iterator[str]:
    """`count` generated texts without repeats, Chinese and English in turn."""
    seen: set[str] = set()
    turn = 0
    while len(seen) < count:
        scene = Scene(Dice(seed, turn))
        text = _KINDS[_TURNS[turn // 2 % len(_TURNS)]](scene, turn % 2)
        turn += 1
        if text not in seen:
            seen.add(text)
            yield text


def chat(turns: Turns) -> str:
    """A conversation in the form in which models are asked."""
    return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns)


def _asked(question: str, answer: str) -> Turns:
    return [("user", question), ("assistant", answer)]


def _instruction(scene: Scene, language: int) -> str:
    """One to three questions with their answers."""
    turns: Turns = []
    for _ in range(1 + scene.dice.number(3)):
        question, answer = scene.dice.pick(instructions.ALL)(Scene(scene.dice))
        turns += _asked(question[language], answer[language])
    return chat(turns)


def _translation(scene: Scene, language: int) -> str:
    turns: Turns = []
    for _ in range(1 + scene.dice.number(3)):
        turns += _asked(*instructions.translation(Scene(scene.dice), language))
    return chat(turns)


def _talk(scene: Scene, language: int) -> str:
    said = [scene.fill(turn)[language] for turn in scene.dice.pick(talks())]
    turns = [("user", "assistant")[place % 2] for place in range(len(said))]
    question, answer = scene.dice.pick(instructions.ALL)(Scene(scene.dice))
    more = _asked(question[language], answer[language]) if scene.dice.chance(0.4) else []
    return chat([*zip(turns, said, strict=True), *more])


def _record(scene: Scene, language: int) -> str:
    text, question, answer = records.record(scene, language)
    return chat(_asked(f"{text}\n{question}", answer)) if scene.dice.chance(0.8) else text


def _story(scene: Scene, language: int) -> str:
    """An opening, some events, an end; the people and things stay the same."""
    middles = scene.dice.shuffled(table("patterns", "middles"))[: 3 + scene.dice.number(6)]
    parts = [scene.dice.pick(table("patterns", "openings")), *middles]
    parts.append(scene.dice.pick(table("patterns", "endings")))
    return _GAPS[language].join(scene.fill(part)[language] for part in parts)


def _sentences(scene: Scene, language: int) -> str:
    """Sentences that stand beside each other, or under their translation."""
    chosen = scene.dice.shuffled(table("patterns", "sentences"))[: 3 + scene.dice.number(4)]
    said = [Scene(scene.dice).fill(pattern) for pattern in chosen]
    if scene.dice.chance(0.3):
        return "\n".join(f"{pair[language]}\n{pair[1 - language]}" for pair in said)
    return _GAPS[language].join(pair[language] for pair in said)


_KINDS: dict[str, Callable[[Scene, int], str]] = {
    "instruction": _instruction, "translation": _translation, "talk": _talk, "record": _record,
    "story": _story, "sentences": _sentences,
}  # fmt: skip
_TURNS = (
    "instruction", "story", "talk", "instruction", "translation", "record", "instruction", "story",
    "sentences", "talk",
)  # fmt: skip


def characters(seed: int, *, times: int = 16) -> Iterator[str]:
    """The 3,755 commonest simplified characters (the first level of GB 2312) in lines of chance.

    They become tokens by this, so that a model made from this one can be taught words that are not here.
    """
    rows = ((row, cell) for row in range(0xB0, 0xD8) for cell in range(0xA1, 0xFF))
    found = [bytes(pair).decode("gb2312") for pair in rows if pair not in _UNUSED]
    for time in range(times):
        line = "".join(Dice(seed, "characters", time).shuffled(found))
        yield from (line[start : start + 64] for start in range(0, len(line), 64))


def main() -> None:
    """Write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--shared", type=Path, help="folder of the free texts; without it they are left out")
    parser.add_argument("--rows", type=int, default=42_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    texts = [*rows(given.rows, given.seed), *characters(given.seed)]
    texts += library.passages(given.shared) if given.shared else ()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with given.out.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in texts)
    print(f"{given.out}: {len(texts)} texts, {given.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
