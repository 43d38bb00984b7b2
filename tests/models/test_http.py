import dialects
import pytest
import wire

from assay.domain.errors import InvalidInput, InvalidResponse, ModelUnavailable, RequestRejected
from assay.domain.models import Usage


def answer(text, kind="application/json"):
    return wire.respond(200, text.encode(), kind)


async def test_placeholders_keep_the_type_of_what_they_name(server, make, ask):
    server.will(answer('{"output": "ok"}'))
    body = {
        "question": "{{ prompt }}",
        "chat": "{{messages}}",
        "rooms": "{{ vars.rooms }}",
        "note": "{{ vars.rooms }} rooms in {{ vars.place.city }}, attempt {{ repeat }}",
        "fixed": [1, None, True],
    }
    request = ask(vars={"rooms": 3, "place": {"city": "Perth {{ model }}"}}, repeat=2)
    await make("http", options={"body": body}).generate(request)
    assert server.asked[0].json == {
        "question": "Be brief.\n\nSay hello.",
        "chat": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."}],
        "rooms": 3,
        "note": "3 rooms in Perth {{ model }}, attempt 2",
        "fixed": [1, None, True],
    }


@pytest.mark.parametrize(
    ("options", "body", "text"),
    [
        ({}, '{"output": "a"}', "a"),
        ({}, '{"text": "a"}', "a"),
        ({}, '{"answer": "a", "other": 1}', "a"),
        ({}, '{"response": {"x": 1}}', '{"x":1}'),
        ({}, '"a"', "a"),
        ({"output": "choices.0.text"}, '{"choices": [{"text": "a"}]}', "a"),
        ({"output": "choices.-1"}, '{"choices": ["b", "a"]}', "a"),
        ({"output": "/a~1b/0"}, '{"a/b": ["a"]}', "a"),
        ({"output": "count"}, '{"count": 3}', "3"),
        ({"response": "text"}, '{"output": 1}', '{"output": 1}'),
    ],
)
async def test_the_output_is_found(options, body, text, server, make, ask):
    server.will(answer(body))
    assert (await make("http", options=options).generate(ask())).text == text


async def test_plain_text_is_the_output(server, make, ask):
    server.will(answer("Just text", "text/plain; charset=utf-8"))
    assert (await make("http", options={}).generate(ask())).text == "Just text"
    server.will(answer("<b>page</b>", "text/html"))
    assert (await make("http", options={"response": "text"}).generate(ask())).text == "<b>page</b>"


async def test_an_output_that_is_not_there_is_no_answer(server, make, ask):
    server.will(answer('{"choices": []}'))
    with pytest.raises(InvalidResponse, match=r"nothing at choices\.0\.text"):
        await make("http", options={"output": "choices.0.text"}).generate(ask())


async def test_values_in_an_address_are_quoted(server, make, ask):
    server.will(answer('{"output": "ok"}'))
    options = {"url": server.url + "/ask?q={{ vars.q }}", "method": "get"}
    await make("http", options=options).generate(ask(vars={"q": "a&b=/ü"}))
    (asked,) = server.asked
    assert (asked.method, asked.path, asked.body) == ("GET", "/ask?q=a%26b%3D%2F%C3%BC", b"")


async def test_the_key_goes_into_the_named_header_else_it_is_a_bearer_token(server, make, ask, key):
    server.will(answer('{"output": "ok"}'))
    await make("http", options={"headers": {"X-Token": "Token {{ key }}"}}).generate(ask())
    assert server.asked[-1].headers["x-token"] == f"Token {key}"
    assert "authorization" not in server.asked[-1].headers
    await make("http", options={}).generate(ask())
    assert server.asked[-1].headers["authorization"] == f"Bearer {key}"


async def test_a_text_body_is_sent_as_text(server, make, ask):
    server.will(answer('{"output": "ok"}'))
    await make("http", options={"body": "Q: {{ prompt }}"}).generate(ask())
    assert server.asked[0].body == b"Q: Be brief.\n\nSay hello."
    assert server.asked[0].headers["content-type"] == "text/plain; charset=utf-8"


async def test_a_variable_that_a_case_lacks_stops_that_case_before_sending(make, ask):
    model = make("http", options={"body": {"q": "{{ vars.town }}"}})
    with pytest.raises(RequestRejected, match=r"vars\.town.*city") as caught:
        await model.generate(ask(vars={"city": "Perth"}))
    assert caught.value.sent is False


async def test_token_counts_are_read_where_the_options_say(server, make, ask):
    server.will(answer('{"output": "a", "meta": {"in": 5, "out": "x"}}'))
    options = {"usage": {"input_tokens": "meta.in", "output_tokens": "meta.out"}}
    assert (await make("http", options=options).generate(ask())).usage == Usage(input_tokens=5)


async def test_a_stream_of_plain_texts_is_joined(server, make, ask):
    server.will(wire.in_chunks([dialects.event(b"Hel"), dialects.event(b"lo")]))
    assert (await make("http", options={}, stream=True).generate(ask())).text == "Hello"


async def test_an_error_event_ends_a_stream(server, make, ask):
    server.will(wire.in_chunks([dialects.event(b"Hel"), dialects.event(b"out of memory", "error")]))
    with pytest.raises(ModelUnavailable, match="out of memory"):
        await make("http", options={}, stream=True).generate(ask())


@pytest.mark.parametrize(
    "options",
    [
        {"method": "DELETE"},
        {"body": {"q": "{{ promt }}"}},
        {"url": "http://{{ vars.host }}/"},
        {"headers": {"x": "{{ vars.a }}"}},
        {"headers": "x"},
        {"response": "xml"},
        {"usage": {"tokens": "a"}},
        {"bdy": {}},
    ],
)
def test_options_that_make_no_sense_are_refused(options, make):
    with pytest.raises(InvalidInput):
        make("http", options=options)
