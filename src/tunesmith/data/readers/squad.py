"""Questions about paragraphs as SQuAD has them: articles, in them paragraphs, in them questions with answers.

One row a question, with the columns of the flat form in which such data is shared. Format: Rajpurkar et al.
2016 (1.1) and 2018 (2.0, which adds `is_impossible`); CMRC 2018 and XQuAD use it too.
"""

from __future__ import annotations

from typing import Any


def is_article(value: Any) -> bool:
    """Whether an element of a document is an article with questions about its paragraphs."""
    paragraphs = value.get("paragraphs") if isinstance(value, dict) else None
    if not isinstance(paragraphs, list) or not paragraphs or not isinstance(paragraphs[0], dict):
        return False
    return "context" in paragraphs[0] and isinstance(paragraphs[0].get("qas"), list)


def rows(article: Any) -> list[dict[str, Any]] | None:
    """One row for each question of an article; None when it is not one."""
    if not isinstance(article, dict) or not isinstance(article.get("paragraphs"), list):
        return None
    found = []
    for paragraph in article["paragraphs"]:
        if not isinstance(paragraph, dict) or not isinstance(paragraph.get("qas"), list):
            return None
        found += [_row(article.get("title"), paragraph, question) for question in paragraph["qas"]]
    return found


def _row(title: Any, paragraph: dict[str, Any], question: Any) -> dict[str, Any]:
    asked = question if isinstance(question, dict) else {"question": question}
    answers = asked.get("answers")
    row = {
        "id": asked.get("id"),
        "title": title,
        "context": paragraph.get("context"),
        "question": asked.get("question"),
        "answers": [_answer(answer) for answer in answers] if isinstance(answers, list) else answers,
    }
    if "is_impossible" in asked:
        row["is_impossible"] = asked["is_impossible"]
    return row


def _answer(answer: Any) -> Any:
    if not isinstance(answer, dict):
        return answer
    return {"text": answer.get("text"), "answer_start": answer.get("answer_start")}
