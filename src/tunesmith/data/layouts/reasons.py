"""Why a row cannot be used, and the code of the sentence that says so."""

from __future__ import annotations

from collections.abc import Mapping

REASON_CODES: Mapping[str, str] = {
    "unlabelled": "D07",
    "empty_text": "D20",
    "empty_prompt": "D21",
    "empty_answer": "D22",
    "role_order": "D23",
    "role_unknown": "D24",
    "bad_messages": "D25",
    "unrecognised": "D26",
    "bad_tools": "D50",
    "bad_tags": "D51",
    "bad_spans": "D51",
    "bad_labels": "D51",
    "bad_answers": "D51",
    "not_accepted": "D52",
    "empty_source": "D53",
    "empty_target": "D53",
    "empty_question": "D21",
    "empty_context": "D53",
    "same_answers": "D54",
    "bad_rating": "D54",
    "bad_score": "D77",
}
