"""What engines are told and what they tell, as JSON and back; null stands for -inf, which JSON lacks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from tunesmith.core import errors
from tunesmith.core.errors import Problem, TunesmithError
from tunesmith.models.sampling import Sampling
from tunesmith.models.token import Likelihood, Token
from tunesmith.serve.engine import Item, Prompt, Reading
from tunesmith.serve.grammar import Compiled

_PLAIN = [field.name for field in fields(Sampling) if field.name != "grammar"]
_ERRORS = {kind.__name__: kind for kind in vars(errors).values() if isinstance(kind, type)}


def prompt_out(prompt: Prompt) -> dict[str, Any]:
    """A prompt; its grammar is sent as its source."""
    sampling, grammar = prompt.sampling, prompt.sampling.grammar
    return {
        "ids": list(prompt.ids),
        "read": prompt.read,
        "adapter": prompt.adapter,
        "sampling": {name: getattr(sampling, name) for name in _PLAIN},
        "grammar": grammar.source if isinstance(grammar, Compiled) else None,
    }


def prompt_in(said: Mapping[str, Any], compiled: Callable[[str], Compiled]) -> Prompt:
    """The prompt again; `compiled` makes a grammar of its source."""
    plain: dict[str, Any] = {name: _tuple(value) for name, value in said["sampling"].items()}
    grammar = compiled(said["grammar"]) if said["grammar"] is not None else None
    return Prompt(said["ids"], Sampling(**plain, grammar=grammar), said["read"], said["adapter"])


def item_out(item: Item | TunesmithError) -> list[Any]:
    """A token (`t`), a reading (`r`) or an error (`e`)."""
    if isinstance(item, Token):
        return ["t", item.id, item.finish, _likelihood_out(item.likelihood)]
    if isinstance(item, Reading):
        return ["r", item.finish, [_likelihood_out(one) for one in item.likelihoods]]
    return ["e", error_out(item)]


def item_in(handle: int, said: Sequence[Any]) -> Item | TunesmithError:
    """The item again; `handle` is what its sequence is called here."""
    match said:
        case ["t", token, finish, likelihood]:
            return Token(handle=handle, id=token, likelihood=_likelihood_in(likelihood), finish=finish)
        case ["r", finish, likelihoods]:
            return Reading([found for one in likelihoods if (found := _likelihood_in(one))], finish)
        case _:
            return error_in(said[1])


def error_out(error: TunesmithError) -> dict[str, Any]:
    """An error by the name of its class."""
    return {"kind": type(error).__name__, "problems": [_problem_out(problem) for problem in error.problems]}


def error_in(said: Mapping[str, Any]) -> TunesmithError:
    """The error again; what is no error of ours is a plain one."""
    kind = _ERRORS.get(said["kind"], TunesmithError)
    known = kind if issubclass(kind, TunesmithError) else TunesmithError
    return known.of(Problem(**problem) for problem in said["problems"])


def _problem_out(problem: Problem) -> dict[str, Any]:
    return {field.name: getattr(problem, field.name) for field in fields(Problem)}


def _likelihood_out(likelihood: Likelihood | None) -> list[Any] | None:
    return None if likelihood is None else [likelihood.logprob, likelihood.top]


def _likelihood_in(said: Sequence[Any] | None) -> Likelihood | None:
    if said is None:
        return None
    return Likelihood(_number(said[0]), tuple((token, _number(value)) for token, value in said[1]))


def _number(said: float | None) -> float:
    return -math.inf if said is None else said


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value
