"""Which documents were retrieved, and which are relevant: ids and grades, from where a suite has them."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, NamedTuple

import orjson

from assay.domain.scores import Sample
from assay.domain.text import valid_text
from assay.metrics.sample_metric import UNANSWERED, Unscored, quote

HIGHEST_GRADE = 100
RETRIEVED = ("metadata.retrieved_ids", "vars.retrieved_ids")
RELEVANT = "metadata.relevant_ids"
NOTHING = Unscored(
    "skipped", "there is no expected id: neither `expected` nor metadata.relevant_ids is there"
)


class Ranked(NamedTuple):
    """Retrieved ids, best first, each once; the grades of relevant ids; how many ids came again."""

    retrieved: tuple[str, ...]
    grades: Mapping[str, float]
    repeated: int


def read_ranked(sample: Sample, options: Mapping[str, Any]) -> Ranked | Unscored:
    """Both sides of a comparison.

    `retrieved` and `relevant` are paths: vars.NAME, metadata.NAME, expected or answer, with dots into
    objects. Skipped when one is missing or is no list of ids, or when nothing is relevant.
    """
    grades = _relevant(sample, options["relevant"])
    if isinstance(grades, Unscored):
        return grades
    listed = _retrieved(sample, options["retrieved"])
    if isinstance(listed, Unscored):
        return listed
    unique = tuple(dict.fromkeys(listed))
    return Ranked(unique, grades, len(listed) - len(unique))


def _relevant(sample: Sample, path: str | None) -> dict[str, float] | Unscored:
    if path is not None:
        found = _at(sample, path)
    else:
        found = _at(sample, RELEVANT)
        found = sample.case.expected if found is None else found
    if found is None:
        return NOTHING if path is None else Unscored("skipped", f"there is no expected id at {path!r}")
    grades = _grades(_parsed(found))
    if grades is None:
        why = (
            f"no list of ids and no object of id and grade (0 to {HIGHEST_GRADE}): {quote(repr(found)[:80])}"
        )
        return Unscored("skipped", f"what is expected is {why}")
    relevant = {name: grade for name, grade in grades.items() if grade > 0}
    return relevant or Unscored("skipped", "nothing is relevant, so that nothing can be found")


def _grades(value: Any) -> dict[str, float] | None:
    if isinstance(value, Mapping):
        if not all(_is_grade(grade) for grade in value.values()):
            return None
        return {valid_text(str(name)): float(grade) for name, grade in value.items()}
    ids = _ids([value] if isinstance(value, str | int) and not isinstance(value, bool) else value)
    return None if ids is None else dict.fromkeys(ids, 1.0)


def _is_grade(value: Any) -> bool:
    number = isinstance(value, int | float) and (isinstance(value, bool) or isfinite(value))
    return number and 0 <= value <= HIGHEST_GRADE


def _retrieved(sample: Sample, path: str | None) -> list[str] | Unscored:
    if path is None:
        path = next((usual for usual in RETRIEVED if _at(sample, usual) is not None), "answer")
    if path.partition(".")[0] == "answer" and sample.response.finish in UNANSWERED:
        return Unscored("abstained", UNANSWERED[sample.response.finish])
    ids = _ids(_parsed(_at(sample, path)))
    return (
        Unscored("skipped", f"there are no retrieved ids: {path} is no list of ids") if ids is None else ids
    )


def _at(sample: Sample, path: str) -> Any:
    """What stands at a path; None when nothing does."""
    root, *names = path.split(".")
    case = sample.case
    roots: dict[str, Any] = {"vars": case.vars, "metadata": case.metadata, "expected": case.expected}
    found = _parsed(valid_text(sample.response.text)) if root == "answer" else roots.get(root)
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _parsed(value: Any) -> Any:
    """A text that holds a JSON list or object as what it holds; anything else as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return orjson.loads(valid_text(value))
        except orjson.JSONDecodeError:
            return value
    return value


def _ids(value: Any) -> list[str] | None:
    """Ids of a list of texts, whole numbers, or objects with `id`; None when it is none."""
    if not isinstance(value, list | tuple):
        return None
    plain = [item.get("id") if isinstance(item, Mapping) else item for item in value]
    if not all(isinstance(item, str | int) and not isinstance(item, bool) for item in plain):
        return None
    return [valid_text(str(item)) for item in plain]
