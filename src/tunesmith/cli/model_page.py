"""Everything about one model, a line for each fact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tunesmith.cli import layout
from tunesmith.cli.output import Output

_TEMPLATE_SHOWN = 400
_SHOWN = 20
_CHAINED = ("data", "recipe", "run", "report", "gate")


def show(known: dict[str, Any], output: Output) -> None:
    """What `models.description.describe` found."""
    output.line(known["name"])
    kind = ", ".join(str(one) for one in (known["kind"], known["family"]) if one)
    facts = (
        ("kind", kind),
        ("task", ", ".join(known["tasks"])),
        ("size", _size(known, output)),
        ("context", known["context"]),
        ("tokenizer", _tokenizer(known["tokenizer"], output)),
        ("languages", ", ".join(known["languages"])),
        ("licence", known["licence"]),
        ("labels", _few(known["labels"])),
        ("memory", _memory(known["fit"], output)),
        ("base", known["base"]),
        ("aliases", ", ".join(known["aliases"])),
        ("created", layout.moment(known["created"]) if known["created"] else None),
        ("installed", output.say("yes" if known["installed"] else "no")),
        ("folder", known["folder"]),
        ("digest", known["digest"]),
    )
    rows = [(output.say(f"column_{name}"), str(value)) for name, value in facts if value]
    _lines([*rows, *_lineage(known["lineage"], output), *_chain(known.get("chain"), output)], output)
    _contract(known["contract"], output)


def _lines(rows: list[tuple[str, str]], output: Output) -> None:
    for line in layout.pairs(rows):
        output.line(line)


def _size(known: dict[str, Any], output: Output) -> str:
    size, layers = known["parameters"], known["layers"]
    shown = output.say("models_parameters", count=layout.count(size)) if size else ""
    return shown + (output.say("models_layers", count=layers) if layers and size else "")


def _tokenizer(found: dict[str, Any] | None, output: Output) -> str:
    if found is None:
        return ""
    said = output.say("models_tokenizer", kind=found["kind"], size=found["size"])
    return said + (
        output.say("models_special", tokens=_few(found["special"], " ")) if found["special"] else ""
    )


def _few(words: list[str], between: str = ", ") -> str:
    """How many, and the first of them."""
    shown = between.join(words[:_SHOWN])
    more = len(words) - _SHOWN
    return f"{len(words)}: {shown}" + (f" … +{more}" if more > 0 else "") if words else ""


def _memory(fit: dict[str, Any] | None, output: Output) -> str:
    """What training every weight, training adapters and answering need, and which of it this machine has."""
    if fit is None:
        return ""
    wanting = {one["what"] for one in fit["does_not_fit"]}
    shown = (
        output.say(
            f"models_needs_{what}", size=f"{fit[f'{what}_bytes'] / 2**30:.1f} GiB"
        ) + (output.say("models_too_much") if what in wanting else "")
        for what in ("full", "lora", "serve")
    )  # fmt: skip
    return output.say("models_needs_between").join(shown)


def _lineage(lineage: dict[str, Any], output: Output) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in lineage.items():
        if key in _CHAINED:
            continue
        if isinstance(value, dict):
            value = ", ".join(
                f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in value.items()
            )
        label = output.say("lineage_scores") if key == "scores" else f"{output.say('column_from')} {key}"
        found.append((label, str(value)))
    return found


def _chain(chain: dict[str, Any] | None, output: Output) -> Iterator[tuple[str, str]]:
    """From rows to aliases: each with its hash, and whether its file is what it was."""
    for name in _CHAINED if chain else ():
        if (value := (chain or {})[name]) is None:
            continue
        state = (chain or {})["states"].get(name, "unknown")
        how = "" if state == "unknown" else f" ({output.say(f'lineage_{state}')})"
        said = _rules(value, output) if name == "gate" else value
        yield output.say(f"lineage_{name}"), f"{said}{how}"
    for move in (chain or {}).get("moves", ()):
        yield output.say("lineage_moved"), output.say("lineage_move", **_moved(move))


def _rules(gate: dict[str, Any], output: Output) -> str:
    return output.say("lineage_rules" if gate.get("rules") else "lineage_no_rules", **gate)


def _moved(move: dict[str, Any]) -> dict[str, Any]:
    return {**move, "moved": layout.moment(move["moved"]), "previous": move["previous"] or "-"}


def _contract(contract: dict[str, Any] | None, output: Output) -> None:
    if contract is None:
        return
    output.line()
    output.line(output.say("models_contract", digest=contract["digest"][:16]))
    template = contract["template"]
    shown = template if len(template) <= _TEMPLATE_SHOWN else template[:_TEMPLATE_SHOWN] + " …"
    for line in shown.splitlines():
        output.line(f"  │ {line}")
    roles = [*contract["roles"], *(["tools"] if contract["tools"] else [])]
    given = ", ".join(f"{key} {value}" for key, value in contract["generation"].items())
    rows = (
        ("system", contract["system"] or ""),
        ("stop", " ".join(contract["stop"])),
        ("roles", ", ".join(roles)),
        ("generation", given),
    )
    _lines([(output.say(f"column_{name}"), value) for name, value in rows], output)
