"""From a template to a page: sandboxed, with everything escaped, and the common style sheet at hand."""

from __future__ import annotations

from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from tunesmith.pages import svg
from tunesmith.pages.words import Speaker, breakable, number, percent


def fill(package: str, template: str, say: Speaker, /, **values: object) -> str:
    """A template of the folder `page` of `package` with its values, as HTML that UTF-8 can write.

    A template finds `bar`, `number`, `percent`, `breakable` and `say`, and may include `base.css`.
    """
    page = _environment(package).get_template(template).render(say=say, **values)
    # A lone surrogate in somebody's text must not keep the page from being written.
    return page.encode("utf-8", "replace").decode("utf-8")


@cache
def _environment(package: str) -> Environment:
    found = SandboxedEnvironment(
        loader=ChoiceLoader([PackageLoader(package, "page"), PackageLoader("tunesmith.pages", "style")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(bar=svg.bar, number=number, percent=percent, breakable=breakable)
    return found
