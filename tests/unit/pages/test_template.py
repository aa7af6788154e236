"""Templates: everything is escaped, a name that is missing is a mistake, and code is not reachable."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from tunesmith.pages import template
from tunesmith.pages.words import Speaker

SAY = Speaker("eval", "en")


def filled(source: str, monkeypatch: pytest.MonkeyPatch, **values: object) -> str:
    environment = template._environment("tunesmith.eval").overlay()
    monkeypatch.setattr(template, "_environment", lambda package: environment)
    monkeypatch.setattr(environment, "get_template", lambda name: environment.from_string(source))
    return template.fill("tunesmith.eval", "x.html", SAY, **values)


def test_values_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    assert filled("{{ a }}", monkeypatch, a="<b>{{ 1 }}") == "&lt;b&gt;{{ 1 }}"


def test_a_missing_value_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UndefinedError):
        filled("{{ missing }}", monkeypatch)


def test_templates_reach_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SecurityError):
        filled("{{ ''.__class__.__mro__ }}", monkeypatch)


def test_half_a_sign_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    assert filled("{{ a }}", monkeypatch, a="half \ud83d").encode()
