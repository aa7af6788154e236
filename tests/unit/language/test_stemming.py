from __future__ import annotations

import pytest

from tunesmith.core.errors import DataError
from tunesmith.language.stemming import STEMMED, stems


def test_forms_of_a_word_share_a_stem() -> None:
    assert stems(["Running", "runs", "cards"]) == ["run", "run", "card"]
    assert len(set(stems(["Häuser", "Hauses"], lang="de"))) == 1


@pytest.mark.parametrize("lang", STEMMED)
def test_every_language_named_has_rules(lang: str) -> None:
    assert len(stems(["abc"], lang=lang)) == 1


def test_a_language_without_rules_is_an_error() -> None:
    with pytest.raises(DataError, match="D72"):
        stems(["词"], lang="zh")
