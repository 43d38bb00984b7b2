"""Prompts become messages: exactly, quickly, and without giving a template anything but text."""

import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from assay.domain.errors import InvalidInput
from assay.domain.prompts import Message, Prompt
from assay.engine.render import Joined, Sandboxed, compile_prompt, compile_text
from assay.engine.template_sandbox import MAX_TEXT

JINJA = ImmutableSandboxedEnvironment(undefined=StrictUndefined)


def prompt(*texts: Any, name: str = "careful") -> Prompt:
    return Prompt(name=name, messages=tuple(Message("user", text) for text in texts))


def render(text: str, **values: Any) -> str:
    return str(compile_prompt(prompt(text)).render(values)[0].content)


def test_messages_keep_their_roles_and_get_the_case_variables() -> None:
    compiled = compile_prompt(
        Prompt(
            name="p",
            messages=(
                Message("system", "Be brief."),
                Message("user", "{{ question }} ({{ place.city }})"),
            ),
        )
    )
    assert compiled.variables == {"question", "place"}
    assert compiled.render({"question": "Where?", "place": {"city": "Hobart"}}) == (
        Message("system", "Be brief."),
        Message("user", "Where? (Hobart)"),
    )


def test_content_parts_are_rendered_at_every_depth_and_only_where_they_are_text() -> None:
    parts = [
        {"type": "text", "text": "Look at {{ what }}"},
        {"type": "image_url", "image_url": {"url": "{{ url }}", "detail": 3, "more": ["{{ what }}", None]}},
    ]
    compiled = compile_prompt(prompt(parts))
    assert compiled.variables == {"what", "url"}
    content = compiled.render({"what": "it", "url": "https://x.test/a.png"})[0].content
    assert content[0] == {"type": "text", "text": "Look at it"}
    assert content[1]["image_url"] == {"url": "https://x.test/a.png", "detail": 3, "more": ["it", None]}


def test_a_prompt_without_templates_is_the_same_message_each_time() -> None:
    compiled = compile_prompt(prompt("Say hello."))
    assert compiled.variables == frozenset()
    assert compiled.render({})[0] is compiled.render({"a": 1})[0]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.text(st.characters(exclude_characters="{}#%", exclude_categories=["Cs"]), max_size=12)


@given(words=st.lists(WORDS, min_size=3, max_size=3), a=VALUES, b=VALUES)
def test_plain_values_become_the_text_that_jinja_writes(words: list[str], a: Any, b: Any) -> None:
    text = f"{words[0]}{{{{ a }}}}{words[1]}{{{{m.b}}}}{words[2]}"
    compiled = compile_text(text)
    values = {"a": a, "m": {"b": b}}
    assert isinstance(compiled, Joined)
    assert compiled.fill(values) == JINJA.from_string(text).render(values)


TEMPLATES = [
    "{% for d in docs %}{{ loop.index }}. {{ d }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for k, v in m.items() %}{{ k }}={{ v }};{% else %}none{% endfor %}",
    "{{ docs | map('upper') | join('/') }} {{ docs|length }} {{ docs[0] }} {{ docs[-1][:2] }}",
    "{{ n + 1 }} {{ n * 2 }} {{ n / 4 }} {{ n // 4 }} {{ n % 4 }} {{ -n }} {{ 'a' ~ n ~ 'b' }}",
    "{{ 'yes' if n > 3 and n in [7, 9] else 'no' }} {{ gone is defined }} {{ gone|default('-') }}",
    "{% set x = n %}{% if x == 7 %}seven{% elif x %}{{ x }}{% else %}nothing{% endif %}",
    "{# a comment #}{% raw %}{{ raw }}{% endraw %}{{ '{{' }}",
    "{{ m['b'] }} {{ m.get('z', 'none') }} {{ s.upper() }} {{ s.split(' ') }} {{ s|replace('a', 'b') }}",
    "{{ s|indent(2) }} {{ s|title }} {{ s|truncate(5) }} {{ s|wordcount }} {{ 3.14159|round(2) }}",
    "{{ docs|sort|first }} {{ docs|reverse|list }} {{ docs|select('ne', 'b')|list }} {{ [1, 2]|sum }}",
    "{{ m|dictsort }} {{ rows|map(attribute='x')|list }} {{ rows|selectattr('x', 'gt', 1)|list }}",
    "{% for i in range(3) if i != 1 %}{{ loop.cycle('odd', 'even') }}{{ i }}{% endfor %}",
    "line\r\nline\n\n",
]


@pytest.mark.parametrize("text", TEMPLATES)
def test_the_metered_sandbox_writes_what_jinja_writes(text: str) -> None:
    values = {
        "docs": ["b", "aç", "c"],
        "m": {"b": 1, "a": {"k": None}},
        "n": 7,
        "s": "a banana\nin the bin",
        "rows": [{"x": 1}, {"x": 2}],
    }
    assert render(text, **values) == JINJA.from_string(text).render(values)


def test_keys_win_over_methods_and_calls_reach_methods() -> None:
    row = {"items": [1, 2], "count": 3}
    assert render("{{ row.items }} {{ row.count }}", row=row) == "[1, 2] 3"
    assert render("{% for k, v in row.items() %}{{ k }} {% endfor %}", row=row) == "items count "


def test_tojson_writes_for_models_and_not_for_web_pages() -> None:
    assert render("{{ v|tojson }}", v={"a": "<é> & 'b'"}) == '{"a": "<é> & \'b\'"}'
    assert render("{{ v|e }}", v="<b>") == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ question }}", "variable 'question' is not set"),
        ("{{ question|upper }}", "variable 'question' is not set"),
        ("{% if question %}x{% endif %}", "variable 'question' is not set"),
        ("{{ place.town }}", "'town' is not in the mapping"),
        ("{{ place.town|upper }}", "'town' is not in the mapping"),
        ("{{ place.city.name }}", "'name' is not in a text"),
        ("{{ [question] }}", "variable 'question' is not set"),
        ("{{ [place]|map(attribute='x')|list }}", "'x' is not in the mapping"),
        ("{{ place['x']|upper }}", "'x' is not in the mapping"),
    ],
)
def test_a_missing_variable_is_named_with_prompt_and_case(text: str, words: str) -> None:
    compiled = compile_prompt(prompt("fine", text), source="suite.yaml")
    with pytest.raises(InvalidInput) as caught:
        compiled.render({"place": {"city": "Hobart"}}, case="case-7")
    shown = str(caught.value)
    assert words in shown
    assert "prompt careful" in shown
    assert "suite.yaml" in shown
    assert "case-7" in shown
    assert "Variables that are set: place." in shown
    assert caught.value.field == "messages.1.content"


def test_an_error_while_rendering_names_its_line() -> None:
    with pytest.raises(InvalidInput) as caught:
        render("one\ntwo {{ 1 }}\n{{ n / 0 }}", n=1)
    assert caught.value.line == 3
    assert "division by zero" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a\n{{ x", 2, "unexpected end of template"),
        ("a\n\n{% if x %}", 3, "Unexpected end of template"),
        ("{{ x|explode }}", 1, "there is no filter 'explode'"),
        ("{{ x is strange }}", 1, "there is no test 'strange'"),
        ("{{ x.__class__ }}", 1, "begins with an underscore"),
        ("{{ x._private }}", 1, "begins with an underscore"),
        ("{{ x['__class__'] }}", 1, "two underscores"),
        ("\n{% import 'x' as y %}", 2, "{% import %} is not allowed"),
        ("{% from 'x' import y %}", 1, "{% import %} is not allowed"),
        ("{% include 'x' %}", 1, "{% include %} is not allowed"),
        ("{% extends 'x' %}", 1, "{% extends %} is not allowed"),
        ("{% block b %}{% endblock %}", 1, "{% block %} is not allowed"),
        ("{% macro m() %}{% endmacro %}", 1, "{% macro %} is not allowed"),
        ("{% call f() %}{% endcall %}", 1, "{% call %} is not allowed"),
        ("{% set x %}{% endset %}", 1, "{% set block %} is not allowed"),
        ("{% filter upper %}{% endfilter %}", 1, "{% filter %} is not allowed"),
        ("{% set x.y = 1 %}", 1, "assigning to an attribute is not allowed"),
        ("{% autoescape true %}{% endautoescape %}", 1, "{% autoescape %} is not allowed"),
        ("{% for x in y recursive %}{% endfor %}", 1, "recursive"),
        ("{{ 2 ** 3 }}", 1, "** is not allowed"),
        ("{{ f(1) }}", 1, "the only function is range"),
        ("{{ range(*a) }}", 1, "* and **"),
        ("{{ range(1, _loop_vars=2) }}", 1, "_loop_vars"),
        ("{{ x.format(1) }}", 1, "no method 'format'"),
        ("{{ self }}", 1, "reserved"),
        ("{{ " + "9" * 5_000 + " }}", 1, "Exceeds the limit"),
        ("x" * 1_000_001, 1, "more than 1,000,000 characters"),
        ("{{ " + "(" * 5_000 + ")" * 5_000 + " }}", 1, "nested too deeply"),
        ("{% for a in x %}" * 30 + "{% endfor %}" * 30, 1, "nested too deeply"),
        ("{{ a }}{% if a %}" + "{{ a + 1 }}" * 9_000 + "{% endif %}", 1, "more than 20,000 parts"),
    ],
)
def test_what_is_not_in_the_language_is_refused_when_compiled(text: str, line: int, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        compile_prompt(prompt("fine", text), source="suite.yaml")
    assert words in str(caught.value)
    assert caught.value.line == line
    assert caught.value.field == "messages.1.content"
    assert "prompt careful" in str(caught.value)


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''[name] }}",
    "{{ m[name] }}",
    "{{ ''|attr('__class__') }}",
    "{{ ''|attr(name) }}",
    "{{ [x]|map(attribute='__class__')|list }}",
    "{{ [x]|map(attribute=name)|list }}",
    "{{ [x]|map('attr', '__class__')|list }}",
    "{{ [x]|sort(attribute='__class__.__mro__') }}",
    "{{ [x]|selectattr(name)|list }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '{0.__class__}'.format_map(m) }}",
    "{{ ['{0.__class__}'.format][0](x) }}",
    "{{ ['{0.__class__}']|map('format', x)|list }}",
    "{{ '%s'|format(x) }}",
    "{{ '%s' % x }}",
    "{{ '%999999999d' % 1 }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ lipsum() }}",
    "{{ cycler('a') }}",
    "{{ dict(a=1) }}",
    "{{ namespace(a=1) }}",
    "{{ self._TemplateReference__context }}",
    "{{ self.__init__.__globals__ }}",
    "{{ request.application.__globals__ }}",
    "{{ config }}",
    "{{ x.mro() }}",
    "{{ f() }}",
    "{{ f.__globals__ }}",
    "{{ f.func_globals }}",
    "{{ o.secret }}",
    "{{ o['secret'] }}",
    "{{ o|attr('secret') }}",
    "{{ o.method() }}",
    "{{ docs.append(1) }}",
    "{{ m.update({}) }}",
    "{{ m.pop('a') }}",
    "{% set docs = docs.clear() %}",
    "{{ loop.__class__ }}",
    "{% for i in docs %}{{ loop._iterable }}{% endfor %}",
    "{% for i in docs %}{{ loop['_iterable'] }}{% endfor %}",
    "{% for i in docs %}{{ loop(docs) }}{% endfor %}",
    "{{ ''.encode() }}",
    "{{ docs|xmlattr }}",
    "{{ docs|pprint }}",
    "{{ caller() }}",
    "{% set x = x.__class__ %}",
    "{% for c in ''.__class__.__mro__ %}{% endfor %}",
    "{% if ''.__class__ %}{% endif %}",
    "{{ environment }}",
    "{{ context }}",
]


class Thing:
    secret = "hidden"  # noqa: S105 - a name that templates must not reach

    def method(self) -> str:
        return self.secret


@pytest.mark.parametrize("text", ESCAPES)
def test_known_escapes_from_the_sandbox_end_in_an_error(text: str) -> None:
    values = {"x": "", "name": "__class__", "m": {"a": 1}, "docs": [1], "f": print, "o": Thing()}
    with pytest.raises(InvalidInput):
        compile_prompt(prompt(text)).render(values)
    assert values["docs"] == [1]
    assert values["m"] == {"a": 1}


def test_no_object_gives_an_attribute_away_in_the_plain_path() -> None:
    for text in ("{{ o.secret }}", "{{ m.keys }}", "{{ s.upper }}"):
        compiled = compile_text(text)
        assert isinstance(compiled, Joined)
        with pytest.raises(InvalidInput):
            compile_prompt(prompt(text)).render({"o": Thing(), "m": {}, "s": "x"})


BOMBS = [
    "{% for a in range(9999) %}" * 3 + "{% endfor %}" * 3,
    "{% for a in big %}{% for b in big %}{{ a == b }}{% endfor %}{% endfor %}",
    "{% for a in range(10000) %}{{ long }}{% endfor %}",
    "{% for a in range(10000) %}{% if long in long %}{% endif %}{% endfor %}",
    "{% for a in range(10000) %}{% set x = long|upper %}{% endfor %}",
    "{% for a in range(10000) %}{% set x = long.replace('a', 'b') %}{% endfor %}",
    "{% for a in range(10000) %}{% set x = long ~ long %}{% endfor %}",
    "{% for a in range(10000) %}{% set x = long[1:] %}{% endfor %}",
    "{% for a in range(10000) %}{% set x = long is upper %}{% endfor %}",
    "{{ range(1000000000) }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 1000000000 * 'a' }}",
    "{{ [0] * 1000000000 }}",
    "{{ 'a'|center(1000000000) }}",
    "{{ 'a'.center(1000000000) }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a'|indent(1000000000) }}",
    "{{ 'a'|wordwrap(1, true, long) }}",
    "{{ long|replace('a', long) }}",
    "{{ long.replace('', long) }}",
    "{{ long|list|join(long) }}",
    "{{ long.join(big) }}",
    "{{ [1]|batch(1000000000, 'x')|list }}",
    "{{ [1]|slice(1000000000)|list }}",
    "{{ 1.5|round(1000000000, 'ceil') }}",
    "{{ 1|round(-1000000000) }}",
    "{{ 1|tojson(1000000000) }}",
    "{{ 9 ** 9 ** 9 }}",
    "{% set n = 10 %}" + "{% set n = n * n %}" * 40 + "{{ n }}",
    "{% set s = 'aaaaaaaa' %}" + "{% set s = s ~ s %}" * 40 + "{{ s }}",
    "{% set s = 'aaaaaaaa' %}" + "{% set s = s + s %}" * 40 + "{{ s }}",
    "{% set s = 'aaaaaaaa' %}" + "{% set s = s.replace('a', 'aa') %}" * 40 + "{{ s }}",
    "{% set l = [1] %}" + "{% set l = [l, l] %}" * 40 + "{{ l }}",
    "{% set l = [1] %}" + "{% set l = l + l %}" * 40 + "{{ l }}",
    "{% set l = {'a': 1} %}" + "{% set l = {'a': l, 'b': l} %}" * 40 + "{{ l == l }}",
    "{% set l = (1, 2) %}" + "{% set l = (l, l) %}" * 40 + "{{ l|tojson }}",
    "{{ big|map('replace', '', long)|list }}",
    "{{ big|map('indent', 100)|map('indent', 100)|join(long) }}",
    "{{ [long]|sum(start=long) }}",
    "{{ big|select('in', long)|map('list')|list }}",
    "{{ (" + "long ~ " * 300 + "'') }}",
    "{{ long }}" * 300,
    "{{ long }}{{ long }}{{ long }}",
    "{% for a in range(10000) %}" + "x" * 1000 + "{% endfor %}",
]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", BOMBS, ids=range(len(BOMBS)))
def test_bombs_of_time_and_memory_are_stopped(text: str) -> None:
    values = {"long": "a" * 400_000, "big": ["word"] * 10_000}
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput):
            compile_prompt(prompt(text)).render(values)
        assert tracemalloc.get_traced_memory()[1] < 64_000_000
    finally:
        tracemalloc.stop()


def test_work_that_prompts_really_do_is_far_within_the_limits() -> None:
    documents = [{"title": f"Document {n}", "text": "word " * 400} for n in range(200)]
    text = (
        "{% for d in documents %}[{{ loop.index }}] {{ d.title|upper }}\n{{ d.text|trim }}\n{% endfor %}"
        "{{ documents|map(attribute='title')|join(', ') }}\n{{ documents[:3]|tojson(2) }}"
    )
    assert len(render(text, documents=documents)) > 400_000


def test_a_text_may_be_as_long_as_the_limit_and_no_longer() -> None:
    for text in ("{{ a }}", "{{ a|string }}"):
        assert len(render(text, a="x" * MAX_TEXT)) == MAX_TEXT
        with pytest.raises(InvalidInput, match="more than 1,000,000 characters"):
            render(text, a="x" * (MAX_TEXT + 1))


@given(st.text(alphabet="{}%# ab.|'\"()[]+-*/~0123,:=\n_", max_size=40))
def test_any_text_compiles_and_renders_or_is_refused_with_its_place(text: str) -> None:
    try:
        compile_prompt(prompt(text)).render({"a": "x", "b": [1, 2]})
    except InvalidInput as problem:
        assert problem.field == "messages.0.content"


def test_values_with_template_signs_are_text() -> None:
    assert render("{{ a }}", a="{{ b }}{% x %}") == "{{ b }}{% x %}"
    assert render("{{ a|trim }}", a="{{ b }}{% x %}") == "{{ b }}{% x %}"


def test_plain_texts_do_not_run_jinja_and_others_do() -> None:
    assert isinstance(compile_text("a {{ b }} {{ c.d.e }}"), Joined)
    assert isinstance(compile_text("a {# note #} b"), Joined)
    assert isinstance(compile_text("a {{ b|upper }}"), Sandboxed)
