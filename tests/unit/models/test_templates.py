"""Templates of unknown authors: bounded in time, text and memory, and without a way out."""

from __future__ import annotations

import threading
import time
import tracemalloc
from typing import Any

import pytest

from tunesmith.core.errors import ModelError
from tunesmith.models import meter, templates

ASK = [{"role": "user", "content": "hi"}]
LONG = "{% set a = 'x' * 900000 %}"
GROW = "{% set ns = namespace(s=S) %}{% for i in range(60) %}{% set ns.s = T %}{% endfor %}{{ ns.s }}"

ATTACKS = {
    "range": "{% for i in range(10**9) %}{% endfor %}",
    "nested loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "nested loops with text": "{% for i in range(9999) %}{% for j in range(999) %}xx{% endfor %}{% endfor %}",
    "loop condition": "{% for i in range(99999) if " + " and ".join(["messages"] * 100) + " %}{% endfor %}",
    "times": "{{ 'x' * 10**9 }}",
    "times a list": "{% set a = [0] * 10**9 %}",
    "power": "{{ 9**9**9**9 }}",
    "product": "{{ 2**900 * 2**900 }}",
    "macros": "{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "tilde": GROW.replace("S", "'x'").replace("T", "ns.s ~ ns.s"),
    "plus": GROW.replace("S", "'x'").replace("T", "ns.s + ns.s"),
    "lists": GROW.replace("S", "[1]").replace("T", "ns.s + ns.s"),
    "lists in lists": GROW.replace("S", "[1]").replace("T", "[ns.s, ns.s]"),
    "mappings in mappings": GROW.replace("S", "1").replace("T", "{'a': ns.s, 'b': ns.s}"),
    "text blocks": GROW.replace("{% set ns.s = T %}", "{% set x %}{{ ns.s }}{{ ns.s }}{% endset %}"
                                "{% set ns.s = x %}").replace("S", "'x'"),
    "center": "{{ 'x' | center(10**9) }}",
    "center method": "{{ 'x'.center(10**9) }}",
    "ljust": "{{ 'x'.ljust(10**9) }}",
    "zfill": "{{ '1'.zfill(10**9) }}",
    "replace": LONG + "{{ a | replace('x', a) }}",
    "replace method": LONG + "{{ a.replace('', a) }}",
    "join": LONG + "{{ range(99999) | join(a) }}",
    "join method": LONG + "{{ a.join(['a'] * 99999) }}",
    "percent": "{{ '%1000000000d' % 1 }}",
    "percent star": "{{ '%*d' % (10**9, 1) }}",
    "percent of mappings": LONG + "{{ ('%(a)s' * 10000) % {'a': a} }}",
    "format": "{{ '{:1000000000}'.format(1) }}",
    "format in format": "{{ '{:{w}}'.format(1, w=10**9) }}",
    "format filter": "{{ '%1000000000d' | format(1) }}",
    "format fields": LONG + "{{ ('{0}' * 10000).format(a) }}",
    "indent": "{{ ('\n' * 900000) | indent(1000) }}",
    "indent by text": LONG + "{{ ('\n' * 90000) | indent(a) }}",
    "JSON": "{{ range(90000) | list | tojson(indent=10**9) }}",
    "sum of lists": "{% set a = [[1] * 100] * 1000 %}{{ a | sum(start=[]) }}",
    "digits": "{{ 1.5 | round(10**9, 'ceil') }}",
    "many tildes": LONG + "{{ " + " ~ ".join(["a"] * 5000) + " }}",
    "many slices": LONG + "{% set b = [" + ", ".join(["a[1:]"] * 2000) + "] %}",
    "many outputs": LONG + "{{ a }}" * 5000,
    "outputs in a macro": LONG + "{% macro f() %}" + "{{ a }}" * 5000 + "{% endmacro %}{% set b = f() %}",
    "searches": LONG + "{% for i in range(99999) %}{{ 'y' in a }}{% endfor %}",
    "comparisons": "{% set a = [0] * 300000 %}{% for i in range(999) %}{{ a == a[:] }}{% endfor %}",
    "sorting": "{% for i in range(1000) %}{% set x = range(99999) | list | sort %}{% endfor %}",
    "filters of filters": "{{ range(99999) | map('string') | map('replace', '', 'x' * 1000) | list }}",
    "tests": "{% for i in range(99999) | select('in', range(99999) | list) %}{% endfor %}",
    "splitting": "{% set a = 'x ' * 400000 %}{% for i in range(9999) %}{% set b = a.split() %}{% endfor %}",
    "too long": "x" * 300_000,
    "too many parts": "{{ a }}" * 14_000,
}  # fmt: skip


def render(template: str, **given: Any) -> str:
    values = {"messages": ASK, "tools": None, "bos_token": "<s>", "eos_token": "</s>", **given}
    return templates.render(template, add_generation_prompt=True, **values)


@pytest.fixture
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of what a template may do: attacks know no bounds, so that they are stopped sooner."""
    monkeypatch.setattr(meter, "_STEPS", meter._STEPS // 10)
    monkeypatch.setattr(meter, "_SECONDS", meter._SECONDS / 10)


@pytest.mark.usefixtures("small_budget")
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_template_that_loops_or_allocates_is_stopped(attack: str) -> None:
    begun = time.thread_time()
    with pytest.raises(ModelError) as caught:
        render(attack)
    assert caught.value.problems[0].code == "M70"
    # Many times what it takes on an idle machine; without bounds it would be hours, or no memory.
    assert time.thread_time() - begun < 5


@pytest.mark.parametrize("name", ["tilde", "many outputs", "JSON", "percent of mappings"])
def test_little_memory_is_taken_before_it_is_stopped(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ModelError):
            render(ATTACKS[name])
        assert tracemalloc.get_traced_memory()[1] < 150e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "template",
    [
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% block a %}{{ self.a() }}{% endblock %}",
        "{{ " + "(" * 30000 + "1" + ")" * 30000 + " }}",
        "{% for a in [1] %}" * 40 + "{% endfor %}" * 40,
        "{{ lipsum(n=10**6) }}",
        "{{ [1] | batch(10**9, 'x') | list }}",
        "{{ (1).to_bytes(10**9) }}",
        "{{ ('\t' * 900000).expandtabs(10**6) }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.append(1) }}",
        "{{ messages[0].update(role='x') }}",
        "{{ dict.update(messages[0], role='x') }}",
        "{% set ns = namespace(_x=1) %}{{ ns._x }}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_what_is_no_prompt_template_fails_in_a_way_that_is_caught(template: str) -> None:
    with pytest.raises((*templates.ERRORS, ModelError)):
        render(template)
    assert ASK == [{"role": "user", "content": "hi"}]


def test_a_long_conversation_has_a_budget_that_grows_with_it() -> None:
    messages = [{"role": "user", "content": "x" * 400_000}] * 10
    looking = (
        "{% for m in messages %}{% if '</think>' in m.content %}!{% endif %}"
        "{{ m.content.strip().split('</think>')[-1].lstrip('\n') | trim }}{% endfor %}"
    )
    assert len(render(looking, messages=messages)) == 4_000_000
    assert len(render(looking, messages=[{"role": "user", "content": "hi"}] * 20_000)) == 40_000


def test_renderings_in_threads_have_budgets_of_their_own() -> None:
    errors: list[Exception] = []

    def work() -> None:
        for _ in range(20):
            try:
                render("{% for i in range(20000) %}{% endfor %}{{ messages[0].content }}")
            except ModelError as error:
                errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ messages | tojson }}", '[{"role": "user", "content": "hi"}]'),
        ("{{ {'a': '<&>', 'b': '中'} | tojson(indent=2) }}", '{\n  "a": "<&>",\n  "b": "中"\n}'),
        ("{{ messages | map(attribute='content') | join('-') }}", "hi"),
        ("{{ ['b', 'a'] | sort | join(', ') }}{{ {'x': 1}.items() | list }}", "a, b[('x', 1)]"),
        ("{% generation %}{{ messages[0].content }}{% endgeneration %}!", "hi!"),
        ("{{ '%s-%05.1f' % ('a', 2.5) }}{{ '{:>4}'.format('b') }}", "a-002.5   b"),
        ("{% set ns = namespace(n=0) %}{% for m in 'a' %}{% set ns.n = 1 %}{% endfor %}{{ ns.n }}", "1"),
        ("{{ '{0.__class__}'.format(messages) }}{{ ''.__class__ }}", ""),
        ("{% for i in range(3) if i % 2 == 0 %}{{ loop.index }}{{ i }} {% endfor %}", "10 22 "),
        ("{{ missing }}{{ none }}{{ [1, 'a'] }}{{ 'a' ~ 1 ~ none }}", "None[1, 'a']a1None"),
        ("{{ '  a\n b' | indent(2) }}|{{ 'abc'[::-1] }}|{{ 'x,y'.split(',')[-1] }}", "  a\n   b|cba|y"),
        ("{{ ns is defined }}{{ 'a' in 'abc' }}{{ 3 not in [1] }}{{ 1 < 2 }}", "FalseTrueTrueTrue"),
    ],
)  # fmt: skip
def test_what_templates_really_do_is_rendered_as_jinja_renders_it(template: str, text: str) -> None:
    assert render(template) == text


@pytest.mark.parametrize(
    ("template", "ahead"),
    [
        (templates.TEMPLATES["chatml"], False),
        ("{% if messages[0].role %}s{% endif %}{% for m in messages %}{{ loop.first }}{% endfor %}", False),
        ("{% for m in messages %}{% if loop.last %}x{% endif %}{% endfor %}", True),
        ("{% for m in messages %}{{ messages[loop.index].role }}{% endfor %}", True),
        ("{% for m in messages[1:] %}{{ m.content }}{% endfor %}", True),
        ("{% if messages | length > 2 %}x{% endif %}", True),
        ("{% for m in messages %}{{ loop['last'] }}{% endfor %}", True),
    ],
)  # fmt: skip
def test_a_template_that_may_look_at_later_turns_is_known(template: str, ahead: bool) -> None:
    assert templates.looks_ahead(template) is ahead
