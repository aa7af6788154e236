"""Errors as HTTP answers in OpenAI's shape, in the client's language, and never with a traceback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tunesmith.core import text
from tunesmith.core.errors import Problem, TunesmithError
from tunesmith.serve.answers import ErrorBody, ErrorDetail

MAX_PROBLEMS = 8
MAX_MESSAGE = 2**15


@dataclass(frozen=True, slots=True)
class _Form:
    """How an error looks over HTTP."""

    status: int
    type: str = "invalid_request_error"
    code: str | None = None
    headers: Mapping[str, str] | None = None


# Mistakes in a request that pydantic found, so that they have no class of their own.
_MISTAKES = ("S10", "S26", "S28", "S29", "S30", "S34", "S37", "S42", "S43", "S44", "S47")
_FORMS = {
    "S01": _Form(404, code="model_not_found"),
    "S02": _Form(400, code="context_length_exceeded"),
    "S03": _Form(429, "rate_limit_error", "rate_limit_exceeded", {"Retry-After": "1"}),
    "S04": _Form(504, "server_error", "timeout"),
    "S05": _Form(500, "server_error", "engine_failed"),
    "S06": _Form(499, code="cancelled"),
    "S75": _Form(429, "rate_limit_error", "rate_limit_exceeded"),
    "S72": _Form(503, "server_error", "overloaded", {"Retry-After": "2"}),
    "S73": _Form(400, code="request_quarantined"),
    "S07": _Form(503, "server_error", "shutting_down", {"Retry-After": "5"}),
    "S48": _Form(503, "server_error", "engine_lost", {"Retry-After": "2"}),
    "S54": _Form(400, code="unsupported_parameter"),
    "S50": _Form(503, "server_error", "engine_lost", {"Retry-After": "30"}),
    "S51": _Form(429, "rate_limit_error", "insufficient_quota"),
    "S52": _Form(429, "rate_limit_error", "insufficient_quota"),
    "S09": _Form(400, code="unsupported_parameter"),
    "S11": _Form(400, code="invalid_json"),
    "S12": _Form(413, code="request_too_large"),
    "S13": _Form(421, code="host_not_allowed"),
    "S14": _Form(401, code="invalid_api_key", headers={"WWW-Authenticate": "Bearer"}),
    "S15": _Form(403, code="insufficient_permissions"),
    "S16": _Form(404, code="not_found"),
    "S17": _Form(405, code="method_not_allowed"),
    "S39": _Form(500, "server_error", "grammar_failed"),
    "S18": _Form(500, "server_error", "internal_error"),
    **dict.fromkeys(("C08", "C09", "C13", "C14", "C27", "C28"), _Form(409)),
    "W57": _Form(503, "server_error"),
    "W34": _Form(504, "server_error", "timeout"),
    "W35": _Form(503, "server_error", "engine_lost"),
    "W01": _Form(401, code="not_signed_in"),
    "W02": _Form(403, code="insufficient_role"),
    "W28": _Form(429, "rate_limit_error", "too_many_streams", {"Retry-After": "5"}),
    "W29": _Form(409, code="too_many_drafts"),
    "W12": _Form(413, code="no_room"),
    **dict.fromkeys(("W14", "W15"), _Form(400)),
    "W03": _Form(403, code="foreign_page"),
    **dict.fromkeys(_MISTAKES, _Form(400)),
}
# Other errors: a usage, data or model error was caused by the request, everything else by the server.
_BY_EXIT_CODE = {2: _Form(400), 3: _Form(400), 4: _Form(404)}
_HTTP_CODES = {404: "S16", 405: "S17", 413: "S12"}


def install(app: FastAPI) -> None:
    """Let `app` answer every error in this form."""
    app.add_exception_handler(TunesmithError, _on_tunesmith_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)


async def _on_tunesmith_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, TunesmithError):
        raise error
    return response(error, request.headers)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    return response(TunesmithError.of(_problems(error)), request.headers)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = _HTTP_CODES.get(error.status_code, "S11")
    problem = TunesmithError(code, path=request.url.path[:200], method=request.method, reason=error.detail)
    answer = response(problem, request.headers)
    answer.headers.update(error.headers or {})
    return answer


def response(error: TunesmithError, request_headers: Headers) -> Response:
    """An error as a complete answer."""
    form = _form(error)
    return Response(
        content=body(error, request_headers).model_dump_json(),
        status_code=form.status,
        headers=dict(form.headers or {}),
        media_type="application/json",
    )


def body(error: TunesmithError, request_headers: Headers) -> ErrorBody:
    """An error in OpenAI's shape."""
    form, first = _form(error), error.problems[0]
    lang = language(request_headers)
    message = "\n".join(_sentence(problem, lang) for problem in error.problems)
    return ErrorBody(
        error=ErrorDetail(
            message=_printable(message)[:MAX_MESSAGE],
            type=form.type,
            param=_printable(first.field)[:256] if first.field else None,
            code=form.code or first.code,
        )
    )


def language(request_headers: Headers) -> str:
    """Chinese for those who prefer it, else English; what a page says comes before what its browser says."""
    wanted = request_headers.get("x-language") or request_headers.get("accept-language", "")
    return "zh" if wanted.lower().startswith("zh") else "en"


def _form(error: TunesmithError) -> _Form:
    code = error.problems[0].code
    return _FORMS.get(code) or _BY_EXIT_CODE.get(error.exit_code) or _Form(500, "server_error")


def _sentence(problem: Problem, lang: str) -> str:
    said = problem.as_dict(lang)
    parts = [said[part] for part in text.PARTS if said[part]]
    return ("；" if lang == "zh" else "; ").join(parts)


def _printable(message: str) -> str:
    """Without lone surrogates, which a request may contain and UTF-8 may not."""
    return message.encode(errors="replace").decode()


def _problems(error: RequestValidationError) -> list[Problem]:
    """One problem for each field; a union reports one for each of its alternatives."""
    found: dict[str | None, Problem] = {}
    for item in error.errors():
        problem = _problem(item, error.body)
        found.setdefault(problem.field, problem)
    return list(found.values())[:MAX_PROBLEMS]


def _problem(item: Mapping[str, Any], sent: object) -> Problem:
    context = item.get("ctx", {})
    field = ".".join(map(str, _location(item["loc"][1:], sent))) or None
    match item["type"]:
        case "tunesmith":
            values = dict(context["values"])
            part = values.pop("field", None)
            whole = ".".join(map(str, filter(None, (field, part)))) or None
            return Problem(code=context["code"], field=whole if part else None, values=values)
        case kind if field is None:
            reason = context["error"] if kind == "json_invalid" else item["msg"]
            return Problem(code="S11", values={"reason": reason})
        case "extra_forbidden":
            return Problem(code="S09", field=field)
        case "missing":
            return Problem(code="S26", field=field)
        case kind:
            expects = {"kind": kind, **context, "reason": item["msg"]}
            return Problem(code="S10", field=field, values={"expects": [expects]})


def _location(parts: Sequence[str | int], sent: object) -> list[str | int]:
    """The path to a value, without the names pydantic adds for the alternatives of a union."""
    real: list[str | int] = []
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if isinstance(sent, dict) and (part in sent or last):
            sent = sent.get(part)
        elif isinstance(sent, list) and isinstance(part, int) and part < len(sent):
            sent = sent[part]
        else:
            continue
        real.append(part)
    return real
