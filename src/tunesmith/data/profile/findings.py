"""What should be mended in data: kind, severity, count, examples, and the key or command that mends it.

Severities: `error` stops a run or makes its scores worthless, `warning` costs quality, `note` is worth a
look. The sentences are in the messages, `find_KIND` and `why_KIND`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Profile = Mapping[str, Any]
Finding = dict[str, Any]

SEVERITIES = ("error", "warning", "note")

_MANY_TRUNCATED = 0.01
_UNBALANCED = 10
_FEW = 50
_ONE_SIDED = 0.7
_EXAMPLES = 3
_RENAMED = 30


def findings(profile: Profile) -> list[Finding]:
    """Everything found, the most severe first, then what concerns most rows."""
    found = [finding for look in _LOOKS for finding in look(profile)]
    return sorted(found, key=lambda one: (SEVERITIES.index(one["severity"]), -one["share"], one["kind"]))


def combined(found: Sequence[Finding]) -> dict[str, Any]:
    """One `data` section that mends all errors and warnings; empty when no key mends any.

    Cleaners come in the order in which each leaves least to the next, with `normalise` among them.
    """
    wanted: dict[str, Any] = {}
    cleaners: dict[str, Any] = {}
    for recipe in (one["fix"]["recipe"] for one in found if one["severity"] != "note"):
        for key, value in (recipe or {}).items():
            if key == "clean":
                cleaners |= {_name(cleaner): cleaner for cleaner in value}
            else:
                wanted[key] = value
    if cleaners:
        cleaners.setdefault("normalise", "normalise")
        cleaners.setdefault("dedup", "dedup")
        wanted = {"clean": sorted(cleaners.values(), key=lambda one: _ORDER.index(_name(one)))} | wanted
    return wanted


_ORDER = (
    "drop_unlabelled", "fix_mojibake", "normalise", "strip_html", "mask_pii", "drop_repetitive",
    "keep_languages", "normalise_labels", "dedup",
)  # fmt: skip


def _name(cleaner: str | Mapping[str, Any]) -> str:
    return cleaner if isinstance(cleaner, str) else str(cleaner["name"])


def _found(
    kind: str,
    severity: str,
    count: int,
    total: int,
    examples: Sequence[Mapping[str, Any]] = (),
    *,
    recipe: Mapping[str, Any] | None = None,
    command: str | None = None,
    **values: Any,
) -> Finding:
    return {
        "kind": kind,
        "severity": severity,
        "count": count,
        "share": count / max(1, total),
        "examples": [_bare(example) for example in examples[:_EXAMPLES]],
        "fix": {"recipe": recipe, "command": command},
        "values": values,
    }


def _bare(example: Mapping[str, Any]) -> dict[str, Any]:
    return {name: example[name] for name in ("row", "before", "after") if name in example}


def _clean(name: str, **settings: Any) -> dict[str, Any]:
    return {"clean": [{"name": name, **settings} if settings else name]}


def _rows(profile: Profile) -> Iterator[Finding]:
    read = profile["rows"] + sum(profile["dropped"].values())
    for reason, count in profile["dropped"].items():
        if reason == "unlabelled":
            yield _found("unlabelled", "error", count, read, recipe=_clean("drop_unlabelled"))
        elif reason != "blank":
            yield _found("unusable", "error", count, read, recipe={"on_error": "drop"}, reason=reason)
    if profile["rows"] < _FEW:
        yield _found("few", "note", profile["rows"], profile["rows"])


def _overlap(profile: Profile) -> Iterator[Finding]:
    if (overlap := profile["overlap"]) and overlap["rows"]:
        held = sum(rows for split, rows in profile["splits"].items() if split != "train")
        examples = [pair["second"] for pair in overlap["pairs"]]
        fix = {"split": {"overlap": "drop"}}
        yield _found("overlap", "error", overlap["rows"], held, examples, recipe=fix)


def _repeats(profile: Profile) -> Iterator[Finding]:
    if (repeats := profile["duplicates"]) and repeats["rows"]:
        examples = [member for cluster in repeats["largest"] for member in cluster["members"][1:2]]
        values = {"exact": repeats["exact"], "near": repeats["near"]}
        fix = _clean("dedup")
        yield _found(
            "duplicates", "warning", repeats["rows"], profile["rows"], examples, recipe=fix, **values
        )
    if (clash := profile["contradictions"]) and clash["rows"]:
        examples = [pair["first"] for pair in clash["pairs"]]
        fix = _clean("dedup")
        yield _found("contradictions", "warning", clash["rows"], profile["rows"], examples, recipe=fix)


def _tokens(profile: Profile) -> Iterator[Finding]:
    tokens = profile["lengths"].get("tokens")
    if tokens and tokens["truncated"]:
        severe = tokens["truncated_share"] >= _MANY_TRUNCATED
        values = {
            "context": tokens["context"],
            "model": tokens["model"],
            "lost": tokens["lost"],
            "lost_share": tokens["lost_share"],
        }
        severity = "warning" if severe else "note"
        command, examples = "tunesmith models list", tokens["longest"]
        count = tokens["truncated"]
        yield _found("truncated", severity, count, profile["rows"], examples, command=command, **values)


def _texts(profile: Profile) -> Iterator[Finding]:
    rows = profile["rows"]
    for kind, name, severity in _CLEANERS:
        effect = profile["cleaners"][name]
        if count := effect["changed"] + effect["dropped"]:
            yield _found(kind, severity, count, rows, effect["examples"], recipe=_clean(name))
    if (damaged := profile["damaged"])["rows"]:
        yield _found("damaged", "warning", damaged["rows"], rows, damaged["examples"])


_CLEANERS = (
    ("personal", "mask_pii", "warning"),
    ("mojibake", "fix_mojibake", "warning"),
    ("markup", "strip_html", "warning"),
    ("repetition", "drop_repetitive", "warning"),
    ("untidy", "normalise", "note"),
)


def _odd(profile: Profile) -> Iterator[Finding]:
    rows, sampled = profile["rows"], profile["sample"]["rows"]
    languages, characters = profile["languages"], profile["outliers"]["characters"]
    if languages["odd"]:
        fix = _clean("keep_languages", keep=languages["main"]) if languages["main"] else None
        yield _found("language", "note", languages["odd"], sampled, languages["odd_rows"], recipe=fix)
    if characters["rows"]:
        yield _found("characters", "note", characters["rows"], sampled, characters["examples"])
    for side in ("long", "short"):
        if (odd := profile["outliers"][side])["rows"]:
            yield _found(side, "note", odd["rows"], rows, odd["examples"])


def _labels(profile: Profile) -> Iterator[Finding]:
    if not (labels := profile["labels"]):
        return
    rows = profile["rows"]
    if groups := labels["variants"]:
        extra = sum(entry["rows"] for group in groups for entry in group[1:])
        rename = {entry["label"]: group[0]["label"] for group in groups for entry in group[1:]}
        fix = _clean("normalise_labels", rename=rename) if len(rename) <= _RENAMED else None
        shown = [" / ".join(entry["label"] for entry in group) for group in groups[:3]]
        yield _found("variants", "warning", extra, rows, recipe=fix, groups=len(groups), labels=shown)
    if unlabelled := labels["unlabelled"]:
        yield _found("unlabelled", "error", unlabelled, rows, recipe=_clean("drop_unlabelled"))
    if labels["count"] == 1:
        yield _found("one_label", "error", rows, rows)
    if labels["unseen"]:
        found = len(labels["unseen"])
        yield _found("unseen", "warning", found, labels["count"], labels=labels["unseen"][:3])
    if labels["rare_count"]:
        names = labels["rare"][:3]
        yield _found("rare", "note", labels["rare_count"], labels["count"], labels=names)
    if (labels["ratio"] or 0) >= _UNBALANCED:
        fix = {"balance": "weights"}
        most, least = labels["values"][0], labels["values"][-1]
        values = {"ratio": labels["ratio"], "most": most["label"], "least": least["label"]}
        yield _found("unbalanced", "note", most["rows"], rows, recipe=fix, **values)


def _issues(profile: Profile) -> Iterator[Finding]:
    issues, files = profile["issues"], profile["files"]
    command = f"tunesmith data issues {files[0]['path']}" if files else None
    for kind, count in issues["counts"].items():
        rows = [row for row in issues["rows"] if row["kind"] == kind]
        yield _found("issues", "warning", count, profile["rows"], rows, command=command, issue=kind)


def _pairs(profile: Profile) -> Iterator[Finding]:
    rows = profile["rows"]
    if pairs := profile["pairs"]:
        if pairs["same"]:
            yield _found("untranslated", "warning", pairs["same"], rows, pairs["same_rows"])
        if pairs["odd"]:
            yield _found("odd_ratio", "note", pairs["odd"], rows, pairs["odd_rows"])
    if preferences := profile["preferences"]:
        if preferences["same"]:
            yield _found("same_answers", "warning", preferences["same"], rows, preferences["same_rows"])
        share = preferences["chosen_longer_share"]
        if max(share, 1 - share) >= _ONE_SIDED and rows >= _FEW:
            count = round(max(share, 1 - share) * rows)
            side = "longer" if share > 0.5 else "shorter"
            yield _found(f"chosen_{side}", "note", count, rows)


_LOOKS = (_rows, _overlap, _repeats, _tokens, _texts, _labels, _issues, _odd, _pairs)
