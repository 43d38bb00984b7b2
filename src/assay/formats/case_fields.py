"""Which field of a row is which part of a case, under the names that other tools give them.

A row with an object of variables (`vars`, `inputs`, `input`) is *structured*: that object is the
variables, and fields that we do not know are kept in the metadata. Any other row is *flat*: each of its
fields that is not the id, what is expected, metadata, tags, cluster or weight is a variable under its
own name; the context is both, because a prompt may show it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.domain.datasets import SPLITS, Case, Split
from assay.domain.errors import InvalidInput
from assay.formats.json_text import is_json, parse_json
from assay.formats.places import Place, did_you_mean

FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": ("id",),
    "vars": ("vars", "inputs", "input"),
    "expected": (
        *("expected", "expected_output", "expectedOutput", "ideal", "target", "reference"),
        *("ground_truth", "answer", "outputs", "expectations"),
    ),
    "context": (
        *("context", "contexts", "retrieved_contexts", "retrieval_context", "retrievalContext"),
        *("reference_contexts", "documents"),
    ),
    "metadata": ("metadata", "additional_metadata", "additionalMetadata"),
    "tags": ("tags",),
    "cluster": ("cluster",),
    "weight": ("weight",),
    "split": (),
}
"""Our name of a field -> names under which it is found, the first that a row has counting.

A split is found under no name of its own: many files have a column `split` that means something else.
"""
_NAMED_BY = frozenset(["vars", "inputs", "input", "user_input"])
"""Fields beside which `name` is the id of a case, and not a variable."""
MAX_KEY = 500


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of rows with the same keys: our name -> theirs; `others` are the rest."""

    names: Mapping[str, str]
    others: tuple[str, ...]


def check_fields(fields: Mapping[str, str], place: Place) -> None:
    """Raise InvalidInput unless the left side of a mapping of fields has our names only."""
    for name in fields:
        if name not in FIELDS:
            raise place.problem(f"unknown field {name!r}{did_you_mean(name, FIELDS)}", field=f"fields.{name}")


def layout_of(keys: Sequence[str], fields: Mapping[str, str]) -> Layout:
    """Find our fields among a row's keys; `fields` says where one is, or with "" that it is not there."""
    names: dict[str, str] = {}
    taken = set(fields.values())
    for name, candidates in FIELDS.items():
        if name in fields:
            candidates = (fields[name],)
        elif name == "id" and "id" not in keys and _NAMED_BY.intersection(keys):
            candidates = ("name",)
        elif name == "expected" and "inputs" not in keys:
            candidates = tuple(candidate for candidate in candidates if candidate != "outputs")
        found = [key for key in candidates if key in keys and (name in fields or key not in taken)]
        if found:
            names[name] = found[0]
    used = set(names.values())
    return Layout(names, tuple(key for key in keys if key not in used))


class CaseBuilder:
    """Makes cases from the rows of one source."""

    def __init__(self, fields: Mapping[str, str], *, cells: bool = False) -> None:
        """`cells` says that every value is text, in which JSON stands for lists and objects."""
        self.fields = fields
        self.cells = cells
        self.layouts: dict[tuple[str, ...], Layout] = {}
        self.unseen = {name: field for name, field in fields.items() if field}

    def build(self, row: Mapping[str, Any], position: int, place: Place) -> Case:
        """The case of a row; `position` counts from 1 and names cases without an id."""
        keys = tuple(row)
        layout = self.layouts.get(keys)
        if layout is None:
            layout = layout_of(keys, self.fields)
            self.unseen = {name: field for name, field in self.unseen.items() if field not in keys}
            if self.cells:
                self.check_seen(place, keys)
            if len(self.layouts) < 1000:
                self.layouts[keys] = layout
        return self._case(row, layout, position, place)

    def check_seen(self, place: Place, keys: Sequence[str] | None = None) -> None:
        """Raise InvalidInput when a field that `fields` names was in no row so far."""
        if keys is None and not self.layouts:
            return
        for name, field in self.unseen.items():
            known = keys or sorted({key for layout in self.layouts for key in layout})
            raise place.problem(
                f"there is no field {field!r}{did_you_mean(field, known)}", field=f"fields.{name}"
            )

    def _case(self, row: Mapping[str, Any], layout: Layout, position: int, place: Place) -> Case:
        values = {name: row[key] for name, key in layout.names.items()}
        names = layout.names
        variables, metadata = self._variables(row, layout, place)
        extra = self._mapping(values.get("metadata"), names.get("metadata", ""), place)
        return Case(
            key=case_key(values["id"], names["id"], place) if "id" in values else f"case-{position:06d}",
            vars=variables,
            expected=self._expected(values.get("expected")),
            context=self._texts(values.get("context"), names.get("context", ""), place),
            metadata={**metadata, **extra},
            tags=self._tags(values.get("tags"), names.get("tags", ""), place),
            cluster=_cluster(values.get("cluster"), names.get("cluster", ""), place),
            weight=_weight(values.get("weight"), names.get("weight", ""), place),
            line=place.line,
            split=_split(values.get("split"), names.get("split", ""), place),
        )

    def _variables(
        self, row: Mapping[str, Any], layout: Layout, place: Place
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Variables, and what else the row holds."""
        others = {key: row[key] for key in layout.others}
        key = layout.names.get("vars")
        value = row[key] if key is not None else None
        if self.cells and key in ("vars", "inputs") and isinstance(value, str) and is_json(value):
            value = parse_json(value, place, field=key)
        if isinstance(value, Mapping):
            return value, others
        if key == "vars" and "vars" not in self.fields:
            raise place.problem("vars must be an object of variables", field="vars")
        flat = {key: value} if key is not None else {}
        context = layout.names.get("context")
        if context is not None:
            parsed = self._parsed(row[context], context, place)
            flat[context] = row[context] if parsed is None else parsed
        flat |= others
        return {name: flat[name] for name in row if name in flat}, {}

    def _expected(self, value: Any) -> Any:
        return None if self.cells and value == "" else value

    def _parsed(self, value: Any, field: str, place: Place) -> Any:
        """A cell's JSON where it is that, and None for an empty cell."""
        if not self.cells or not isinstance(value, str):
            return value
        if not value.strip():
            return None
        return parse_json(value, place, field=field) if is_json(value) else value

    def _texts(self, value: Any, field: str, place: Place) -> tuple[str, ...]:
        value = self._parsed(value, field, place)
        if value is None:
            return ()
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
            raise place.problem(
                "must be a text or a list of texts", field=field, remedy=_elsewhere("context")
            )
        return tuple(items)

    def _tags(self, value: Any, field: str, place: Place) -> tuple[str, ...]:
        value = self._parsed(value, field, place)
        if isinstance(value, str):
            return tuple(tag for part in value.split(",") if (tag := part.strip()))
        return self._texts(value, field, place)

    def _mapping(self, value: Any, field: str, place: Place) -> Mapping[str, Any]:
        value = self._parsed(value, field, place)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise place.problem("must be an object", field=field, remedy=_elsewhere("metadata"))
        return value


def _elsewhere(name: str) -> str:
    return f"If it is something else, map it away in the data set: fields: {{{name}: ''}}"


def case_key(value: Any, field: str, place: Place) -> str:
    """An id as text; raises InvalidInput for empty ones and for what is neither text nor integer."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise place.problem("an id must be a text or an integer", field=field, remedy=_elsewhere("id"))
    key = str(value)
    if not key.strip():
        raise place.problem(
            "the id is empty",
            field=field,
            remedy="Give each case an id, or leave the field out of all of them.",
        )
    if len(key) > MAX_KEY:
        raise place.problem(f"an id of {len(key):,} characters; the limit is {MAX_KEY}", field=field)
    return key


def _cluster(value: Any, field: str, place: Place) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise place.problem("must be a text", field=field, remedy=_elsewhere("cluster"))
    return str(value)


def _weight(value: Any, field: str, place: Place) -> float:
    if value is None or value == "":
        return 1.0
    problem: InvalidInput = place.problem(
        "must be a number greater than 0", field=field, remedy=_elsewhere("weight")
    )
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise problem
    try:
        weight = float(value)
    except ValueError:
        raise problem from None
    if not 0 < weight < float("inf"):
        raise problem
    return weight


def _split(value: Any, field: str, place: Place) -> Split | None:
    if value is None or value == "":
        return None
    found = next((split for split in SPLITS if split == value), None)
    if found is None:
        raise place.problem(
            f"{value!r} is no split", field=field, remedy=f"Write {', '.join(SPLITS)}, or leave it empty."
        )
    return found
