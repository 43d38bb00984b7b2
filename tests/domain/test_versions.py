"""How versions are named, and what no name can stand in for."""

import pytest

from assay.domain.errors import InvalidInput
from assay.domain.versions import Reference, check_label, check_name, parse_reference, parse_version


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("support", Reference("support")),
        ("support:3", Reference("support", version=3)),
        ("support@production", Reference("support", label="production")),
        ("support@v1.2-rc_1", Reference("support", label="v1.2-rc_1")),
        ("support@latest", Reference("support")),
        ("a:3@latest", Reference("a:3")),
        ("a@b:2", Reference("a@b", version=2)),
        ("a:1:2", Reference("a:1", version=2)),
        ("a:0", Reference("a:0")),
        ("a:01", Reference("a:01")),
        ("a:99999999999", Reference("a:99999999999")),
        ("a@Production", Reference("a@Production")),
        ("a@", Reference("a@")),
        (":3", Reference(":3")),
        ("two\nlines:4", Reference("two\nlines", version=4)),
        ("١:١", Reference("١:١")),
    ],
)
def test_the_end_of_a_reference_is_a_version_or_a_label(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "reference", [Reference("a"), Reference("a", version=7), Reference("a b", label="x.1")]
)
def test_a_reference_reads_back_as_it_is_written(reference: Reference) -> None:
    assert parse_reference(str(reference)) == reference


def test_no_name_can_stand_in_the_place_of_a_label() -> None:
    hostile = "support@production"
    assert parse_reference(hostile) != Reference(hostile)
    assert parse_reference(f"{hostile}@latest") == Reference(hostile)


def test_an_empty_reference_is_refused() -> None:
    with pytest.raises(InvalidInput, match="NAME:VERSION"):
        parse_reference("")


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("3", Reference("p", version=3)),
        (":3", Reference("p", version=3)),
        ("staging", Reference("p", label="staging")),
        ("@staging", Reference("p", label="staging")),
        ("latest", Reference("p")),
    ],
)
def test_a_version_of_a_named_thing_is_a_number_or_a_label(text: str, reference: Reference) -> None:
    assert parse_version("p", text) == reference


@pytest.mark.parametrize("text", ["", "Staging", "a b", "-1", "a" * 64, "x'--"])
def test_what_is_neither_number_nor_label_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="neither a version nor a label"):
        parse_version("p", text)


@pytest.mark.parametrize(
    "label", ["", "Production", "-x", ".x", "a b", "a" * 64, "ä", "a\n", "a'b", "latest"]
)
def test_a_label_that_cannot_be_set_is_refused(label: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_label(label)
    assert refused.value.field == "label"


def test_names_are_almost_free() -> None:
    assert [check_name(name, "prompt") for name in ("a", "'; --", "ü" * 200)] == ["a", "'; --", "ü" * 200]
    for name in ("", " ", "a\tb", "a\x7f", "a\u2028b", "\udc00", "x" * 201):
        with pytest.raises(InvalidInput):
            check_name(name, "prompt")
