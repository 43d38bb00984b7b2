"""Server-sent events (WHATWG HTML, section 9.2), decoded from bytes as they arrive."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its name ("message" unless the stream named it) and its data lines, joined."""

    name: str
    data: bytes


class EventDecoder:
    """Turns pieces of a stream, cut anywhere, into events. Time is linear in the bytes fed."""

    def __init__(self) -> None:
        self._partial: list[bytes] = []
        self._data: list[bytes] = []
        self._name = ""
        self._fresh = True

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if b"\n" not in chunk and b"\r" not in chunk and not self._ends_in_return():
            self._partial.append(chunk)
            return []
        text = b"".join((*self._partial, chunk))
        lines = text.splitlines(keepends=True)
        # A carriage return at the very end may be the first half of a line end.
        whole = bool(lines) and lines[-1].endswith(b"\n")
        self._partial = [] if whole or not lines else [lines.pop()]
        return self._take(lines)

    def flush(self) -> list[Event]:
        """What the end of the stream completes, though the empty line after it is missing."""
        rest = b"".join(self._partial)
        self._partial = []
        return self._take([*rest.splitlines(), b""] if rest else [b""])

    def _ends_in_return(self) -> bool:
        return bool(self._partial) and self._partial[-1].endswith(b"\r")

    def _take(self, lines: list[bytes]) -> list[Event]:
        if self._fresh and lines:
            self._fresh = False
            lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
        events: list[Event] = []
        for line in lines:
            bare = line.rstrip(b"\r\n")
            if bare:
                self._field(bare)
            elif self._data:
                events.append(Event(self._name or "message", b"\n".join(self._data)))
                self._data, self._name = [], ""
            else:
                self._name = ""
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._name = value.decode("utf-8", "replace")
