"""Every sentence a person reads, in Chinese and in English, found by its code.

The sentences live in `messages/*.toml`, both languages side by side. Code `D07` is in the file of its
letter; the key `cli.ready` is entry `ready` of `cli.toml`.
"""

from __future__ import annotations

import locale
import os
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "zh")
PARTS = ("message", "cause", "hint")

_AREAS = {
    "A": "augment",
    "C": "core",
    "D": "data",
    "E": "eval",
    "L": "labels",
    "M": "models",
    "N": "native",
    "R": "recipe",
    "S": "serve",
    "T": "train",
    "U": "cli",
    "W": "studio",
}
# What asks whether something else was meant, where nothing is like what was written.
_QUESTION = re.compile(r"(did you mean|是否想写) `#?\{close\}`[?？] ?")


class _Values(dict[str, Any]):
    """Values of a sentence; one that is missing shows its name instead of raising."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def language(wanted: str | None = None) -> str:
    """The language to speak: `wanted`, else TUNESMITH_LANG, else the locale; `zh` or `en`."""
    name = wanted or os.environ.get("TUNESMITH_LANG") or _locale_name()
    return "zh" if name.lower().startswith("zh") else "en"


def _locale_name() -> str:
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return value
    return locale.getlocale()[0] or "en"


@cache
def table(area: str) -> Mapping[str, Any]:
    """All sentences of one area, as `{key: {language: ...}}`."""
    source = files("tunesmith.core").joinpath("messages", f"{area}.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


def areas() -> list[str]:
    """The names of all message files, sorted."""
    folder = files("tunesmith.core").joinpath("messages")
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))


def say(key: str, lang: str, /, **values: Any) -> str:
    """The sentence `area.name` in `lang`, with `values` put in."""
    area, _, name = key.partition(".")
    template: str = table(area)[name][lang]
    return template.format_map(_Values(values))


def explain(code: str, lang: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Message, cause and hint of an error code in `lang`, with `values` put in."""
    entry = table(_AREAS[code[0]])[code][lang]
    values = dict(values)
    if "expects" in values:
        rules = [_expected(rule, lang) for rule in values["expects"]]
        values["expected"] = table("core")["or"][lang].join(dict.fromkeys(rules))
    if "noun" in values:
        values["noun"] = table("recipe")["noun"][values["noun"]][lang]
    if isinstance(values.get("reason"), Mapping):
        values["reason"] = because(values["reason"], lang)
    said = {part: entry.get(part, "") for part in PARTS}
    if values.get("close") == "":
        said = {part: _QUESTION.sub("", template) for part, template in said.items()}
        said["hint"] = said["hint"] or table("core")["one_of_those"][lang]  # the cause names what there is
    return {part: template.format_map(_Values(values)) for part, template in said.items()}


def because(reason: Mapping[str, str], lang: str) -> str:
    """Why something is not so: `why` is a sentence `area.name`, or an error code; the rest are its values."""
    why = reason["why"]
    return say(why, lang, **reason) if "." in why else explain(why, lang, reason)["message"]


def _expected(rule: Mapping[str, Any], lang: str) -> str:
    """What a value should have been, from the kind of the broken rule and its bounds."""
    sentences = table("recipe")["expected"]
    template: str = sentences.get(rule["kind"], sentences["other"])[lang]
    noun = table("recipe")["noun"].get(rule.get("noun"), {}).get(lang, "")
    return template.format_map(_Values({**rule, "noun": noun}))
