"""Prompt templates: the built-in ones, and how a template of any author is run without harm.

The built-in ones write tools the way Hermes and Qwen do: their definitions one per line between `<tools>`
tags, and each call as JSON between `<tool_call>` tags, so that readers of such calls understand these too.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tunesmith.core.errors import ModelError

MAX_TEMPLATE = 200_000
_SHOWN = 60

# What the program that a template is can come to, its author being unknown.
ERRORS = (
    TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError,
    ValueError,
)  # fmt: skip

_TOOLS = (
    "You can call these functions:\n"
    "<tools>\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}</tools>\n"
    "For each call, write a JSON object with its name and arguments between tags:\n"
    '<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)
_CALLS = (
    "{% for call in message.tool_calls or [] %}"
    "{% if message.content or not loop.first %}{{ '\\n' }}{% endif %}"
    '<tool_call>\n{"name": {{ call.function.name | tojson }}, '
    '"arguments": {{ call.function.arguments | tojson }}}\n</tool_call>{% endfor %}'
)

TEMPLATES = {
    "chatml": (
        "{% if tools %}<|im_start|>system\n" + _TOOLS + "<|im_end|>\n{% endif %}"
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}"
        + _CALLS
        + "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "plain": (
        "{{ bos_token }}{% if tools %}" + _TOOLS + "\n{% endif %}{% for message in messages %}"
        "{% if message.role == 'system' %}{{ message.content }}\n"
        "{% elif message.role == 'assistant' %}Assistant:\n{{ message.content }}"
        + _CALLS
        + "{{ eos_token }}\n"
        "{% elif message.role == 'tool' %}Tool:\n{{ message.content }}\n"
        "{% else %}User:\n{{ message.content }}\n{% endif %}"
        "{% endfor %}{% if add_generation_prompt %}Assistant:\n{% endif %}"
    ),
}


def name_of(template: str) -> str:
    """How to speak of a template: its name if it is built in, else how it begins."""
    known = next((name for name, text in TEMPLATES.items() if text == template), None)
    return known or (template if len(template) <= _SHOWN else f"{template[:_SHOWN]}…")


@lru_cache(maxsize=32)
def compiled(template: str) -> Template:
    """A template ready to be rendered, in a sandbox.

    Raises:
        ModelError: M10 when it is too long.
        jinja2.TemplateError: when it is not a template.
    """
    if len(template) > MAX_TEMPLATE:
        raise ModelError("M10", reason=f"the template is longer than {MAX_TEMPLATE} characters")
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals["raise_exception"] = _raise_exception
    # Jinja's own filter writes for web pages, with `<` as `\u003c`; `transformers` has this one in its place.
    environment.filters["tojson"] = _tojson
    return environment.from_string(template)


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def _tojson(value: Any, ensure_ascii: bool = False, **layout: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, **layout)
