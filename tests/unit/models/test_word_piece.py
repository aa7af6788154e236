"""WordPiece over bytes: no text is unknown, and every text comes back."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tunesmith.models import word_piece

SPECIAL = ("<pad>", "<s>", "</s>")
TEXTS = ("the runner runs, the running man ran", "小猫坐在门口，小狗坐在门边。", "## a title ##done") * 4
MADE = word_piece.train(TEXTS, vocab=600, special=SPECIAL)


@settings(max_examples=200, deadline=None)
@given(st.text().filter(lambda text: not any(token in text for token in SPECIAL)))
@example("##the a##b # ##")
@example("x" * 1000 + "龘🙂")
def test_every_text_comes_back(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    encoding = MADE.encode(text)
    assert "[UNK]" not in encoding.tokens
    assert MADE.decode(encoding.ids, skip_special_tokens=False) == text


def test_common_words_are_tokens_and_others_are_cut_into_pieces() -> None:
    assert MADE.encode("the").tokens == ["the"]
    assert [token.startswith("##") for token in MADE.encode("zq").tokens] == [False, True]


def test_special_tokens_come_first_and_the_size_is_kept() -> None:
    assert [MADE.token_to_id(token) for token in SPECIAL] == [0, 1, 2]
    assert MADE.get_vocab_size() <= 600


def test_the_same_texts_give_the_same_file() -> None:
    assert len({word_piece.train(TEXTS, vocab=600, special=SPECIAL).to_str() for _ in range(3)}) == 1
