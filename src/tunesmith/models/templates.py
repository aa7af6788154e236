"""Prompt templates: the built-in ones, and how a template of any author is run without harm.

The built-in ones write tools the way Hermes and Qwen do: their definitions one per line between `<tools>`
tags, and each call as JSON between `<tool_call>` tags, so that readers of such calls understand these too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jinja2 import Template, TemplateError, nodes

from tunesmith.core.errors import ModelError
from tunesmith.models.meter import Meter, TooMuchError, size_of, start
from tunesmith.models.sandbox import Environment, price

MAX_TEMPLATE = 100_000
# Compiling takes a second for some ten thousand parts of a template.
MAX_PARTS = 10_000
_SHOWN = 60
_AHEAD = {"last", "length", "revindex", "revindex0", "nextitem"}

# What the program that a template is can come to, its author being unknown.
ERRORS = (
    TemplateError, ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, SyntaxError,
    TypeError, ValueError,
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


# Some templates ask for today's date. A prompt must be the same on every day, in training and when served.
_DATE = (
    '{%- macro strftime_now(format) -%}{{ format | replace("%d", "26") | replace("%b", "Jul") '
    '| replace("%B", "July") | replace("%m", "07") | replace("%Y", "2024") | replace("%y", "24") '
    '| replace("%A", "Friday") | replace("%a", "Fri") | replace("%H", "00") | replace("%M", "00") '
    '| replace("%S", "00") }}{%- endmacro -%}\n'
)


def dated(template: str) -> str:
    """A template that asks for the date, with a fixed one in it; others as they are.

    As part of the template the date is hashed, saved and exported with it. It is the one that Llama 3 takes
    where it is told none.
    """
    return _DATE + template if "strftime_now" in template and not template.startswith(_DATE) else template


def name_of(template: str) -> str:
    """How to speak of a template: its name if it is built in, else how it begins."""
    known = next((name for name, text in TEMPLATES.items() if text == template), None)
    return known or (template if len(template) <= _SHOWN else f"{template[:_SHOWN]}…")


@lru_cache(maxsize=32)
def compiled(template: str) -> Template:
    """A template ready to be rendered, in a sandbox.

    Raises:
        ModelError: M70 when it is too long.
        jinja2.TemplateError: when it is not a template.
    """
    if len(template) > MAX_TEMPLATE:
        raise _too_much(template, f"it is longer than {MAX_TEMPLATE} characters")
    environment = Environment()
    program = environment.parse(template)
    if price(program) > MAX_PARTS:
        raise _too_much(template, f"it has more than {MAX_PARTS} parts")
    return environment.from_string(program)


def _too_much(template: str, reason: str) -> ModelError:
    return ModelError("M70", template=name_of(template), reason=reason)


def check(template: str) -> None:
    """Hold a template of unknown origin to be one, before a model is taken in with it.

    Raises:
        ModelError: M10 when it is no template, M70 when it is too long.
    """
    try:
        compiled(template)
    except ERRORS as error:
        raise ModelError("M10", reason=str(error)) from error


@lru_cache(maxsize=64)
def looks_ahead(template: str) -> bool:
    """Whether a turn's text could depend on the turns after it.

    It cannot where the template only goes through the messages one by one, and never asks how many there are.
    """
    tree = Environment().parse(template)
    gone_through = {id(loop.iter) for loop in tree.find_all(nodes.For)}
    items = [
        (item.node, item.arg.value)
        for item in tree.find_all(nodes.Getitem)
        if isinstance(item.arg, nodes.Const)
    ]
    first = {id(node) for node, key in items if key == 0}
    others = [
        name
        for name in tree.find_all(nodes.Name)
        if name.name == "messages" and id(name) not in gone_through | first
    ]
    asked = {key for _, key in items} | {item.attr for item in tree.find_all(nodes.Getattr)}
    return bool(others or asked & _AHEAD)


def render(template: str, **given: Any) -> str:
    """The text that a template makes of what it is given, piece by piece so that it cannot grow unseen.

    Raises:
        ModelError: M70 when it is too long, or does more than any prompt needs.
        ERRORS: what the template raises.
    """
    program = compiled(template)
    meter = Meter(len(template) + size_of(list(given.values())))
    pieces: list[str] = []
    length = 0
    before = start(meter)
    try:
        for piece in program.generate(**given):
            length += len(piece)
            meter.hold(length)
            pieces.append(piece)
    except TooMuchError as error:
        raise _too_much(template, str(error)) from error
    finally:
        start(before)
    return "".join(pieces)
