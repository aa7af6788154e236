"""From a conversation and wishes for its answer to a prompt, and the grammar that the answer is held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.core.errors import UsageError
from tunesmith.models.calls import CallForm, form_of
from tunesmith.models.token_bytes import TokenBytes
from tunesmith.serve.grammar import Compiled, Grammars, grammars_of
from tunesmith.serve.schemas import ChatRequest
from tunesmith.serve.served import TextDeployment
from tunesmith.serve.tool_schemas import Function, NamedChoice, SchemaFormat


@dataclass(frozen=True, slots=True)
class Plan:
    """A prompt, what its answer is held to, and how calls of tools are written in it."""

    ids: list[int]
    grammar: Compiled | None
    form: CallForm | None


def plan(deployment: TextDeployment, wishes: ChatRequest) -> Plan:
    """What a conversation's next turn is generated from. Takes time: not in the event loop.

    Raises:
        UsageError: S38 for a schema that cannot be used, S40 when the model calls no tools, S41 for a tool
            that is not among them.
        ModelError: what `PromptContract.encode` raises.
    """
    messages = [message.plain() for message in wishes.messages]
    if wishes.tools and wishes.tool_choice != "none":
        form = _form(deployment)
        # First of all, because it refuses schemas that a template could not write.
        grammar = _calls(deployment, wishes, form)
        tools = [tool.model_dump(exclude_none=True) for tool in wishes.tools]
        ids = deployment.contract.encode(deployment.tokenizer, messages, tools)
        return Plan(ids, grammar, form)
    ids = deployment.contract.encode(deployment.tokenizer, messages)
    return Plan(ids, _shape(deployment, wishes), None)


def _form(deployment: TextDeployment) -> CallForm:
    form = form_of(deployment.contract)
    special = TokenBytes(deployment.tokenizer).special
    marks = [deployment.tokenizer.id_to_token(token) or "" for token in special]
    # Special tokens are no part of an answer's text, so calls that begin with one could not be read.
    if form is None or any(mark and mark in f"{form.before}{form.middle}" for mark in marks):
        raise UsageError("S40", field="tools", name=deployment.name)
    return form


def _calls(deployment: TextDeployment, wishes: ChatRequest, form: CallForm) -> Compiled:
    tools = {t.function.name: _arguments(t.function) for t in wishes.tools or ()}
    choice = wishes.tool_choice
    if isinstance(choice, NamedChoice):
        name = choice.function.name
        if name not in tools:
            raise UsageError("S41", field="tool_choice", name=name, known=", ".join(tools))
        tools = {name: tools[name]}
    free = choice in (None, "auto")
    several = wishes.parallel_tool_calls is not False and not isinstance(choice, NamedChoice)
    return _grammars(deployment).calls(form, tools, free=free, several=several)


def _arguments(function: Function) -> Mapping[str, Any]:
    """The schema of what a function takes, which is an object whether or not it says so."""
    schema = function.parameters or {"properties": {}}
    kind = schema.get("type", "object")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        raise UsageError("S38", field="tools", reason=f"{function.name}: type {kind}")
    return {**schema, "type": "object"}


def _shape(deployment: TextDeployment, wishes: ChatRequest) -> Compiled | None:
    wanted = wishes.response_format
    if wanted is None or wanted.type == "text":
        return None
    schema = wanted.json_schema.schema_ if isinstance(wanted, SchemaFormat) else {"type": "object"}
    return _grammars(deployment).json(schema, "response_format")


def _grammars(deployment: TextDeployment) -> Grammars:
    return grammars_of(deployment.tokenizer, deployment.vocabulary, deployment.contract.stop_ids)
