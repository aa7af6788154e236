"""A model that somebody else computes, behind any OpenAI-compatible API.

Answers to the same question are kept on disk where the model is asked for its likeliest answer, what fails
for the moment is tried again, and what may be spent is bounded.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx

from tunesmith.core import durable
from tunesmith.core.errors import MissingError, ModelError, UsageError
from tunesmith.core.workspace import Workspace
from tunesmith.models import endpoint as endpoints
from tunesmith.models.endpoint import PREFIX, Endpoint

if TYPE_CHECKING:
    from tunesmith.models.turns import Message

NO_ANSWER = "(?)"
"""The label of a text for which the model named none of those it was given."""

_TRIES = 5
_FIRST_PAUSE = 0.5  # seconds; doubled at every try
_LONGEST_PAUSE = 60.0
_TIMEOUT = 120.0
_AGAIN = (408, 409, 429, 500, 502, 503, 504)
_INSTRUCTION = (
    "Classify the user's text. Answer with exactly one of these labels and nothing else "
    "(只回答下列标签之一，不要回答其他内容):\n{labels}"
)
_LABEL_TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedModel:
    """A hosted model ready for use. With `labels` it classifies, without training, from their names.

    `pause` waits between tries; `is_kept`: answers are kept, and what is spent is counted.
    """

    endpoint: Endpoint
    workspace: Workspace
    labels: tuple[str, ...] = ()
    task: str | None = None
    pause: Callable[[float], None] = time.sleep
    is_kept: bool = True
    kind: str = field(default="hosted", init=False)

    @property
    def name(self) -> str:
        """The name by which it is asked for."""
        return PREFIX + self.endpoint.name if self.is_kept else self.endpoint.name

    @property
    def digest(self) -> str:
        """The sha256 of what is known of it; whether the host changed it nobody can see."""
        return hashlib.sha256(f"{self.endpoint.url} {self.endpoint.model}".encode()).hexdigest()

    def with_labels(self, labels: Sequence[str]) -> HostedModel:
        """The model as a classifier for these labels."""
        return replace(self, labels=tuple(labels), task="classify")

    def chat(self, messages: str | Sequence[Message], **settings: Any) -> str:
        """The answer to a conversation, or to one message.

        Settings: max_new_tokens, temperature (0 unless given), top_p, seed, stop.

        Raises:
            UsageError: M63 when the key's variable is not set.
            MissingError: M65 when the host cannot be reached, or does not answer in five tries.
            ModelError: M66 when it refuses or answers in another form; M67 when the budget is spent.
        """
        turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
        body = {"model": self.endpoint.model, "messages": turns, **_body(settings)}
        if not self.is_kept:
            return self._asked(body)[0]
        kept = self._kept(body)
        if body["temperature"] == 0 and kept.is_file():
            answer: str = json.loads(kept.read_text(encoding="utf-8"))["answer"]
            return answer
        self._check_budget()
        answer, tokens = self._asked(body)
        endpoints.spend(self.endpoint, self.workspace, tokens=tokens)
        if body["temperature"] == 0:
            durable.write_json(kept, {"answer": answer, "tokens": tokens})
        return answer

    def stream(self, messages: str | Sequence[Message], **settings: Any) -> Iterator[str]:
        """The answer in one piece: whole answers can be kept and asked for again."""
        yield self.chat(messages, **settings)

    def classify(self, texts: str | Sequence[str]) -> list[str]:
        """The label that the model names for each text, `NO_ANSWER` where it names none."""
        given = [texts] if isinstance(texts, str) else texts
        instruction = _INSTRUCTION.format(labels="\n".join(self.labels))
        return [self._label(instruction, text) for text in given]

    def _label(self, instruction: str, text: str) -> str:
        turns = [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
        return named(self.chat(turns, max_new_tokens=_LABEL_TOKENS), self.labels)

    def _kept(self, body: Mapping[str, Any]) -> Any:
        said = json.dumps([self.endpoint.url, body], sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()
        return self.workspace.cache / "hosted" / digest[:2] / f"{digest}.json"

    def _asked(self, body: Mapping[str, Any]) -> tuple[str, int]:
        """The host's answer, and how many tokens it counted."""
        secret = self.endpoint.secret()
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        # The certificates of this machine take a tenth of a second to read, and plain http needs none.
        verify = not self.endpoint.url.startswith("http:")
        with httpx.Client(headers=headers, timeout=_TIMEOUT, verify=verify) as client:
            response = self._response(client, body)
        try:
            content = response.json()
            answer = content["choices"][0]["message"]["content"]
            used = int((content.get("usage") or {}).get("total_tokens") or 0)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise self._refused("the answer has another form than OpenAI's") from error
        if not isinstance(answer, str):
            raise self._refused("the answer has no text")
        return answer, used

    def _response(self, client: httpx.Client, body: Mapping[str, Any]) -> httpx.Response:
        url = self.endpoint.url.rstrip("/") + "/chat/completions"
        reason, wait = "", _FIRST_PAUSE
        for number in range(_TRIES):
            if number:
                self.pause(wait)
            wait = _FIRST_PAUSE * 2 ** (number + 1)
            try:
                response = client.post(url, json=body)
            except httpx.TransportError as error:
                reason = str(error) or type(error).__name__
                continue
            if response.status_code not in _AGAIN:
                return self._accepted(response)
            reason, wait = f"{response.status_code} {_reason(response)}", _asked_to_wait(response, wait)
        raise MissingError("M65", name=self.name, url=self.endpoint.url, reason=reason, tries=_TRIES)

    def _accepted(self, response: httpx.Response) -> httpx.Response:
        if not response.is_success:
            raise self._refused(f"{response.status_code} {_reason(response)}")
        return response

    def _refused(self, reason: str) -> ModelError:
        return ModelError("M66", name=self.name, url=self.endpoint.url, reason=reason)

    def _check_budget(self) -> None:
        before = endpoints.spent(self.endpoint, self.workspace)
        for unit, used, bound in (
            ("requests", before.requests, self.endpoint.requests),
            ("tokens", before.tokens, self.endpoint.tokens),
        ):
            if bound is not None and used >= bound:
                raise ModelError("M67", name=self.name, unit=unit, spent=used, bound=bound)


def named(answer: str, labels: Sequence[str]) -> str:
    """The label that an answer names: it is that label, or holds that one alone; else `NO_ANSWER`."""
    plain = answer.strip().strip("\"'`.。“”「」*").casefold()
    for label in labels:
        if plain == label.casefold():
            return label
    inside = [label for label in labels if label.casefold() in plain]
    # `refund` is found in an answer that says `refund_status`, too: what is part of another does not count.
    whole = [a for a in inside if not any(a != b and a.casefold() in b.casefold() for b in inside)]
    return whole[0] if len(whole) == 1 else NO_ANSWER


def _body(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a generation as the API calls them.

    Raises:
        UsageError: M68 for one that hosted models do not have.
    """
    names = {
        "max_new_tokens": "max_tokens",
        "temperature": "temperature",
        "top_p": "top_p",
        "seed": "seed",
        "stop": "stop",
    }
    for name in settings:
        if name not in names:
            raise UsageError("M68", setting=name, known=", ".join(names))
    given = {names[name]: value for name, value in settings.items() if value not in (None, ())}
    return {"temperature": 0.0, **given}


def _reason(response: httpx.Response) -> str:
    """What the host said went wrong, in one line."""
    try:
        said = response.json()["error"]["message"]
    except (ValueError, LookupError, TypeError):
        said = response.text or response.reason_phrase
    return " ".join(str(said).split())[:300]


def _asked_to_wait(response: httpx.Response, otherwise: float) -> float:
    """Seconds of the header Retry-After, which may be a date, within reason."""
    said = response.headers.get("retry-after", "")
    try:
        seconds = float(said)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(said).timestamp() - time.time()
        except ValueError:
            return otherwise
    return min(max(seconds, 0.0), _LONGEST_PAUSE)
