"""README.md of an exported model: its own card with what the export came to, or what is known of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunesmith.core import text
from tunesmith.models import card, catalogue, facts
from tunesmith.models.export.certificate import Certificate
from tunesmith.models.resolve import Resolved
from tunesmith.workflow import markdown
from tunesmith.workflow.markdown import FILE, plain, table

_LIBRARIES = {"safetensors": "transformers", "gguf": "gguf", "onnx": "onnx"}


def write(folder: Path, resolved: Resolved, made: Certificate, lang: str) -> None:
    """Write README.md beside an export: how it is used, where its format says so, the card, the comparison.

    The head of the model's own card stays, but for the library.

    Raises:
        ModelError: M04 or M06 when the model's folder is damaged.
    """
    source = Path(str(resolved.folder))
    said = _written(source)
    found = re.match(r"---\n.*?\n---\n", said, re.S)
    head = _of_format(found[0], made) if found else markdown.yaml_head(_head(resolved, source, made))
    body = said[found.end() :] if found else said
    pages = [_written(folder), body or _about(resolved, source, lang), "\n".join(_export(made, lang))]
    shown = "\n\n".join(page.strip() for page in pages if page.strip())
    (folder / FILE).write_text(f"{head}\n{shown}\n", encoding="utf-8")


def _written(folder: Path) -> str:
    path = folder / FILE
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _of_format(head: str, made: Certificate) -> str:
    if made.format == "safetensors":
        return head
    return re.sub(r"^library_name: .*$", f'library_name: "{_LIBRARIES[made.format]}"', head, flags=re.M)


def _about(resolved: Resolved, source: Path, lang: str) -> str:
    tasks = ", ".join(facts.tasks(card.read(source)))
    return f"# {plain(resolved.name)}\n\n{text.say('card.exported', lang, task=tasks)}"


def _head(resolved: Resolved, source: Path, made: Certificate) -> dict[str, Any]:
    own = card.read(source)
    entry = catalogue.entries().get(own.base.name if own.base else resolved.name)
    task = facts.tasks(own)[0]
    found = facts.Found(name=resolved.name, folder=source, entry=entry)
    is_ours = own.code is not None or own.kind == "tfidf"
    return {
        "language": list(entry.languages) if entry else [],
        **markdown.licence(facts.licence(found, own)),
        "base_model": entry.hub if entry else None,
        "pipeline_tag": markdown.pipeline(task),
        "library_name": "tunesmith" if is_ours else _LIBRARIES[made.format],
        "tags": ["tunesmith", task],
    }


def _export(made: Certificate, lang: str) -> Iterator[str]:
    """What was written and how it compares with the model, as certificate.json has it."""

    def say(key: str, **values: Any) -> str:
        return text.say(f"card.{key}", lang, **values)

    yield f"## {say('title_export')}\n"
    yield say("export_is", format=made.format, precision=made.precision, digest=made.digest) + "\n"
    rows = [(say("export_agreement"), f"{made.agreement:.2%} ({made.tokens})")]
    rows += [(say("export_logits"), f"{made.logits:.6f}")] if made.logits is not None else []
    rows += [("perplexity", " → ".join(f"{one:.4f}" for one in made.perplexity))] if made.perplexity else []
    rows += [(name, f"{before:.4f} → {after:.4f}") for name, (before, after) in made.scores.items()]
    rows += sorted(made.versions.items())
    yield from table((say("what"), say("value")), rows)
    yield ""
