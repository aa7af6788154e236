"""The profile as one page for people, and its findings in their language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tunesmith.core import text
from tunesmith.data.profile import card
from tunesmith.data.profile.findings import combined
from tunesmith.data.profile.page import figures, mending
from tunesmith.pages.differences import marked
from tunesmith.pages.template import fill
from tunesmith.pages.words import Speaker, percent


def render(profile: Mapping[str, Any], lang: str) -> str:
    """The whole page in `zh` or `en`, as HTML in one string; the same profile gives the same bytes."""
    say = Speaker("profile", text.language(lang))
    return fill(
        "tunesmith.data.profile",
        "profile.html",
        say,
        profile=profile,
        name=_name(profile, say),
        lead=_lead(profile, say),
        verdict=_verdict(profile),
        message=partial(mending.message, say=say),
        why=partial(mending.why, say=say),
        recipe=mending.recipe,
        together=combined(profile["problems"]),
        doubt=partial(_doubt, say=say),
        told=[text.explain(one["code"], say.lang, _told(one)) for one in profile["told"]],
        lengths=figures.lengths(profile, say),
        label_ranks=partial(figures.label_ranks, say=say),
        languages=figures.languages(profile, say),
        shares=partial(figures.shares, say=say),
        stacked=figures.stacked,
        marked=marked,
        size=card.size,
        card=card.facts(profile, say.lang),
    )


def spoken(profile: Mapping[str, Any], lang: str) -> dict[str, Any]:
    """The profile with `message` and `hint` in every problem, in `zh` or `en`."""
    say = Speaker("profile", text.language(lang))
    problems = [
        {**problem, "message": mending.message(problem, say), "hint": mending.why(problem, say)}
        for problem in profile["problems"]
    ]
    return {**profile, "problems": problems}


def _name(profile: Mapping[str, Any], say: Speaker) -> str:
    names = list(dict.fromkeys(Path(file["path"]).name for file in profile["files"]))
    if len(names) > 3:
        return say("more_files", name=names[0], count=len(names) - 1)
    return ("、" if say.lang == "zh" else ", ").join(names)


def _lead(profile: Mapping[str, Any], say: Speaker) -> str:
    characters, tokens = profile["lengths"]["characters"], profile["lengths"].get("tokens")
    if not characters["count"]:
        return ""
    shape = say.name("shape", profile["shape"])
    median = f"{characters['quantiles']['0.5']:,}"
    said = say("lead", rows=f"{profile['rows']:,}", shape=shape, median=median)
    if not tokens:
        return said
    key = "lead_cut" if tokens["truncated"] else "lead_fits"
    values = {"context": f"{tokens['context']:,}", "model": tokens["model"]}
    return said + say.gap + say(key, share=percent(tokens["truncated_share"]), **values)


def _verdict(profile: Mapping[str, Any]) -> str:
    severities = {problem["severity"] for problem in profile["problems"]}
    return "error" if "error" in severities else "warning" if "warning" in severities else "fine"


def _doubt(issue: Mapping[str, Any], say: Speaker) -> str:
    return text.say(f"data.issue_{issue['kind']}", say.lang, **{**issue, **issue["detail"]})


def _told(problem: Mapping[str, Any]) -> dict[str, Any]:
    place = {name: problem.get(name) for name in ("file", "line", "field")}
    known = {name: value for name, value in place.items() if value is not None}
    return {**known, **problem.get("values", {})}
