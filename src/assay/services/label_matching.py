"""Labels of a file brought together with the answers that they speak of."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from assay.domain.errors import InvalidInput
from assay.formats.labels import LabelFile, LabelRow
from assay.formats.places import Place, Problems
from assay.reports.calibration_values import JudgedAnswer
from assay.reports.untrusted import one_line
from assay.reports.wording import NOTHING, plural

SHOWN = 5
ONE = "all answers"


def match_labels(answers: Sequence[JudgedAnswer], file: LabelFile) -> tuple[list[JudgedAnswer], list[str]]:
    """The answers of a job with their labels, and what must be said of rows that were not used.

    A row means the one answer that has its case and, where it names them, prompt, model and repeat. Raises
    InvalidInput for rows that mean several answers, for labels of one annotator that contradict each other,
    and when no row means an answer.
    """
    by_case: dict[str, list[int]] = {}
    for number, answer in enumerate(answers):
        by_case.setdefault(answer.case, []).append(number)
    problems, found = Problems(str(file.path), {}), list(answers)
    given: dict[tuple[int, str], LabelRow] = {}
    unmatched: list[LabelRow] = []
    repeated = 0
    for row in file.rows:
        if not row.labels:
            continue
        meant = [number for number in by_case.get(row.case, ()) if _fits(row, answers[number])]
        if not meant:
            unmatched.append(row)
        elif len(meant) > 1:
            problems.found.append(_ambiguous(row, [answers[number] for number in meant], file))
        else:
            repeated += _give(found, meant[0], row, (given, problems, file))
    problems.raise_any()
    if not any(answer.labels for answer in found):
        raise _nothing(file, unmatched, answers)
    return found, [*_notes(file, unmatched, repeated)]


def answers_of_file(file: LabelFile) -> tuple[list[JudgedAnswer], list[str]]:
    """The answers of a file that holds the judge's scores itself.

    Rows with the same case, prompt, model, repeat, group, position and families are one answer with several
    annotators. Raises InvalidInput where such rows have different scores or contradicting labels.
    """
    problems = Problems(str(file.path), {})
    given: dict[tuple[int, str], LabelRow] = {}
    places: dict[tuple[object, ...], int] = {}
    lines: list[int] = []
    found: list[JudgedAnswer] = []
    repeated = 0
    for row in file.rows:
        key = (row.case, row.prompt, row.model, row.repeat, row.group, row.first, row.judge_family)
        number = places.setdefault((*key, row.answer_family), len(found))
        if number == len(found):
            found.append(_answer(row))
            lines.append(row.line)
        elif found[number].judge != row.judge:
            problems.found.append(_two_scores(row, lines[number], file))
            continue
        repeated += _give(found, number, row, (given, problems, file))
    problems.raise_any()
    return found, [*_notes(file, [], repeated)]


Given = tuple[dict[tuple[int, str], LabelRow], Problems, LabelFile]


def _give(found: list[JudgedAnswer], number: int, row: LabelRow, state: Given) -> int:
    """Add a row's labels to its answer; how many were there already."""
    given, problems, file = state
    repeated = 0
    for name, label in row.labels:
        before = given.setdefault((number, name), row)
        if before is row:
            found[number] = replace(found[number], labels=(*found[number].labels, (name, label)))
        elif dict(before.labels)[name] == label:
            repeated += 1
        else:
            problems.found.append(_contradiction(row, before, name, file))
    found[number] = _enriched(found[number], row)
    return repeated


def _contradiction(row: LabelRow, before: LabelRow, name: str, file: LabelFile) -> InvalidInput:
    here, there = dict(row.labels)[name], dict(before.labels)[name]
    return Place(str(file.path), row.line).problem(
        f"case {one_line(row.case, 60)!r} has the label {here:g} here and {there:g} in line {before.line} "
        "(on the scale of 0 to 1)",
        remedy="Labels of several people need a column `annotator`; of one, leave one row.",
    )


def _enriched(answer: JudgedAnswer, row: LabelRow) -> JudgedAnswer:
    """What a row knows of the answer beside labels; what the file says counts more than what the job says."""
    known = {
        name: value
        for name in ("length", "first", "judge_family", "answer_family", "weight", "swapped", "cluster")
        if (value := getattr(row, name)) is not None
    }
    return replace(answer, **known)


def _answer(row: LabelRow) -> JudgedAnswer:
    names = [name for name in (row.prompt, row.model) if name is not None] or [row.group or ONE]
    return JudgedAnswer(
        case=row.case,
        candidate=f" {chr(183)} ".join(names),
        prompt=row.prompt,
        model=row.model,
        repeat=row.repeat or 0,
        judge=row.judge,
    )


def _fits(row: LabelRow, answer: JudgedAnswer) -> bool:
    asked = ((row.prompt, answer.prompt), (row.model, answer.model), (row.repeat, answer.repeat))
    return all(wanted is None or wanted == there for wanted, there in asked)


def _ambiguous(row: LabelRow, meant: Sequence[JudgedAnswer], file: LabelFile) -> InvalidInput:
    columns = [
        name
        for name in ("prompt", "model", "repeat")
        if getattr(row, name) is None and len({getattr(answer, name) for answer in meant}) > 1
    ]
    return Place(str(file.path), row.line).problem(
        f"case {one_line(row.case, 60)!r} has {len(meant)} answers; the label does not say which it is of",
        remedy=f"Add {'the column' if len(columns) == 1 else 'columns'} {', '.join(columns)}.",
    )


def _two_scores(row: LabelRow, line: int, file: LabelFile) -> InvalidInput:
    return Place(str(file.path), row.line).problem(
        f"case {one_line(row.case, 60)!r} has another score of the judge than in line {line}",
        remedy="Several answers to a case need a column that tells them apart: group, prompt, model, repeat.",
    )


def _nothing(file: LabelFile, unmatched: Sequence[LabelRow], answers: Sequence[JudgedAnswer]) -> InvalidInput:
    if not unmatched:
        return InvalidInput("no row has a label yet", file=str(file.path), remedy="Fill in the label column.")
    known = ", ".join(dict.fromkeys(one_line(answer.case, 40) for answer in answers[:SHOWN]))
    return InvalidInput(
        "no label is of an answer of this job",
        file=str(file.path),
        line=unmatched[0].line,
        remedy=f"Labelled: {_cases(unmatched)}. Cases of the job: {known}{_dots(answers)}",
    )


def _notes(file: LabelFile, unmatched: Sequence[LabelRow], repeated: int) -> Iterable[str]:
    if file.blank:
        yield f"{plural(file.blank, 'row')} of {file.path.name} without a label"
    if unmatched:
        lines = ", ".join(str(row.line) for row in unmatched[:SHOWN])
        yield (
            f"{plural(len(unmatched), 'label')} of answers that the job does not have: {_cases(unmatched)} "
            f"(line {lines}{_dots(unmatched)})"
        )
    if repeated:
        yield f"{plural(repeated, 'label')} given twice, the same both times"


def _cases(rows: Sequence[LabelRow]) -> str:
    names = [one_line(" ".join(filter(None, [row.case, row.prompt, row.model])), 60) for row in rows[:SHOWN]]
    return ", ".join(dict.fromkeys(names)) or NOTHING


def _dots(items: Sequence[object]) -> str:
    return ", ..." if len(items) > SHOWN else ""
