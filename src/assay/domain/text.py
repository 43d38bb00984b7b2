"""Text as UTF-8 can hold it: what models say may be no valid Unicode."""


def valid_text(text: str) -> str:
    """The text itself if it is valid, else a copy: surrogate pairs joined, lone surrogates as U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
