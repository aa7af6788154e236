from __future__ import annotations

import json

import pytest

from tunesmith.core.errors import DataError, NotFoundError, RecipeError
from tunesmith.eval.suites import definition
from tunesmith.eval.suites.asking import ask
from tunesmith.eval.suites.rows import questions
from tunesmith.models.following import Followed
from tunesmith.models.writing import Continuation

ROWS = [
    {
        "q": f"q{i}",
        "options": ["(A)yes", "(B)certainly not", "(C)maybe"],
        "label": label,
        "answer": f"#### {i}",
    }
    for i, label in enumerate("ABCA")
]
CHOICES = """
suite: 1
tasks:
  mine: {{kind: choices, data: rows.jsonl, prompt: "{{q}}", options: options, answer: label, {more}}}
"""
WORDS = r"""
suite: 1
tasks:
  mine: {kind: text, data: rows.jsonl, prompt: "{q}", answer: "{answer}", extract: ['#### (\d+)'],
         compare: number}
"""


class Fake:
    """Finds the letter or text it likes best likeliest, and says the same to everything."""

    def __init__(self, likes="", says="", foresees=True):
        self.likes, self.says, self.foresees = likes, says, foresees
        self.asked = []

    def follow(self, pairs):
        self.asked = [prompt for prompt, _ in pairs]
        return [
            Followed(
                logprob=-0.1 if text.strip() == self.likes else -1.0 - len(text) / 99, greedy=False, cut=0
            )
            for _, text in pairs
        ]

    def write(self, prompts, *, stop, max_new_tokens):
        self.asked = list(prompts)
        return [Continuation(self.says) for _ in prompts]


@pytest.fixture
def suite(tmp_path):
    def write(text, rows=ROWS):
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        (tmp_path / "mine.yaml").write_text(text, "utf-8")
        return definition.load(str(tmp_path / "mine.yaml"))

    return write


def asked(suite, subject, **more):
    task = suite.tasks["mine"]
    settings = {"shots": None, "limit": None, **more}
    return ask(task, questions(task, suite.folder, **settings), subject)


def scores(answered):
    return {name: round(each.value, 4) for name, each in answered.sums.items()}


def test_the_likeliest_letter_is_chosen(suite):
    answered = asked(suite(CHOICES.format(more="shots: 0")), Fake(likes="A"))
    assert scores(answered) == {"accuracy": 0.5}
    assert answered.chance == pytest.approx(1 / 3)
    assert answered.outcome.targets[1] == "B. certainly not"
    assert answered.outcome.predicted[1] == "A. yes"


def test_long_options_are_also_judged_by_their_length(suite):
    found = scores(asked(suite(CHOICES.format(more="score: texts")), Fake(likes="nothing")))
    # The shortest is the likeliest as a whole, the longest by its characters.
    assert found == {"accuracy": 0.5, "accuracy_norm": 0.25}


@pytest.mark.parametrize(("more", "foresees"), [("by: writing", True), ("shots: 0", False)])
def test_an_option_may_be_named_in_words(suite, more, foresees):
    found = scores(asked(suite(CHOICES.format(more=more)), Fake(says="答案是 A。", foresees=foresees)))
    assert found == {"accuracy": 0.5, "unanswered": 0.0}


def test_solved_rows_stand_before_the_others_and_are_not_asked(suite):
    fake = Fake(likes="A")
    answered = asked(suite(CHOICES.format(more="shots: 1")), fake)
    assert fake.asked[0] == "q0 A\n\nq1"
    assert list(answered.outcome.rows) == [2, 3, 4]


def test_words_are_right_by_what_is_extracted_of_them(suite):
    assert scores(asked(suite(WORDS), Fake(says="so #### 2.0"))) == {"exact_match": 0.25, "unanswered": 0.0}
    assert scores(asked(suite(WORDS), Fake(says="two"))) == {"exact_match": 0.0, "unanswered": 1.0}


def test_the_same_rows_are_drawn_every_time(suite):
    drawn = [asked(suite(WORDS), Fake(), limit=2).outcome.rows for _ in range(2)]
    assert len(drawn[0]) == 2
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    ("text", "rows", "more", "code"),
    [
        (CHOICES.format(more="shots: 0").replace("{q}", "{qq}"), ROWS, {}, "C42"),
        (CHOICES.format(more="shots: 0"), [*ROWS, {**ROWS[0], "label": "E"}], {}, "C43"),
        (WORDS, ROWS, {"shots": 4}, "C46"),
        (WORDS.replace(r"(\d+)", r"(\d+"), ROWS, {}, "C47"),
        (WORDS.replace("answer:", "anwser:"), ROWS, {}, "R03"),
        (WORDS.replace("kind: text", "kind: poem"), ROWS, {}, "R05"),
    ],
)
def test_mistakes_are_named(suite, text, rows, more, code):
    with pytest.raises((RecipeError, DataError)) as raised:
        asked(suite(text, rows), Fake(), **more)
    assert code in {problem.code for problem in raised.value.problems}


def test_a_wrong_key_is_answered_with_those_of_its_kind(suite):
    with pytest.raises(RecipeError, match="did you mean `answer`") as raised:
        suite(WORDS.replace("answer:", "anwser:"))
    assert "compare" in str(raised.value)
    assert "epochs" not in str(raised.value)


def test_an_unknown_suite_is_answered_with_those_there_are():
    with pytest.raises(NotFoundError, match="agieval, gsm8k, humaneval"):
        definition.load("agival")
    assert [definition.load(name).folder for name in definition.known()] == [None] * 3
