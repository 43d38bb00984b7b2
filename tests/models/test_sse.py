from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from assay.models.sse import Event, EventDecoder


def decoded(*chunks):
    decoder = EventDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return [*events, *decoder.flush()]


def test_fields_comments_and_names_are_read_as_the_standard_says():
    named = b"\xef\xbb\xbf: hello\nevent: add\ndata: 73857\ndata:  two\nid: 1\n\n"
    stream = named + b"event: empty\n\ndata\n\ndata:x\n\n"
    assert decoded(stream) == [
        Event("add", b"73857\n two"),
        Event("message", b""),
        Event("message", b"x"),
    ]


def test_an_event_at_the_end_needs_no_empty_line():
    assert decoded(b"data: [DONE]") == [Event("message", b"[DONE]")]


LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
TEXTS = st.lists(st.binary(max_size=12).filter(lambda b: not set(b) & set(b"\r\n")), min_size=1, max_size=6)


@given(TEXTS, LINE_ENDS, st.lists(st.integers(0, 200), max_size=8))
def test_events_are_the_same_wherever_the_stream_is_cut(texts, end, cuts):
    stream = b"".join(b"data: " + text + end + end for text in texts)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[a:b] for a, b in pairwise(places)]
    assert [event.data for event in decoded(*chunks)] == texts


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_no_bytes_crash_it(chunks):
    assert all(isinstance(event, Event) for event in decoded(*chunks))
