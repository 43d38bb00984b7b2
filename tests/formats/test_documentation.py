"""The reference has every key, and its examples work."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.engine.template_filters import FILTERS, TESTS
from assay.engine.template_sandbox import METHOD_NAMES
from assay.formats.case_fields import FIELDS
from assay.formats.cases import EXTENSIONS
from assay.formats.result_rows import COLUMNS
from assay.formats.results import WRITERS
from assay.formats.suite import load_suite
from assay.formats.suite_schema import SCHEMA, Schema

DOCS = Path(__file__).parents[2] / "docs"
SUITES = (DOCS / "suites.md").read_text()
DATA = (DOCS / "data.md").read_text()


def keys_of(schema: Schema) -> Iterator[str]:
    for key, value in schema.get("properties", {}).items():
        yield key
        yield from keys_of(value)
    for definition in schema.get("$defs", {}).values():
        yield from keys_of(definition)


def test_every_key_of_a_suite_is_in_the_reference() -> None:
    assert [key for key in sorted(set(keys_of(SCHEMA))) if f"`{key}`" not in SUITES] == []


def test_the_templates_vocabulary_is_in_the_reference() -> None:
    words = {name for name in (*FILTERS, *TESTS, *METHOD_NAMES) if name.isalpha()}
    comparisons = {"eq", "equalto", "ne", "lt", "lessthan", "le", "gt", "greaterthan", "ge"}
    loops = {"cycle", "changed"}
    missing = [word for word in sorted(words - comparisons - loops) if not re.search(rf"\b{word}\b", SUITES)]
    assert missing == []


def test_every_field_extension_and_column_is_in_the_reference() -> None:
    assert [name for names in FIELDS.values() for name in names if name not in DATA] == []
    assert [end for end in (*EXTENSIONS, *WRITERS) if f"`{end}`" not in DATA] == []
    assert [column for column in COLUMNS if f"`{column}`" not in DATA] == []


@pytest.mark.parametrize("number", range(7))
def test_the_suites_in_the_reference_load(tmp_path: Path, number: int) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", SUITES, re.DOTALL)
    assert len(examples) == 7
    (tmp_path / "cases.jsonl").write_text('{"question": "x"}\n')
    (tmp_path / "assay.yaml").write_text(examples[number])
    assert load_suite(tmp_path / "assay.yaml", environment={}).prompts
