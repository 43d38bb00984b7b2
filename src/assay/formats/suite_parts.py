"""The parts of a suite, built from values that `suite_check` has accepted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import Limits, ModelConfig, Price, Timeouts
from assay.domain.prompts import Message, Prompt, StoredPrompt
from assay.domain.races import RaceConfig
from assay.domain.scores import MetricConfig
from assay.domain.suites import DatasetSource
from assay.domain.versions import parse_reference
from assay.formats.case_fields import CaseBuilder
from assay.formats.cases import EXTENSIONS
from assay.formats.decoding import read_text
from assay.formats.environment import substitute
from assay.formats.json_text import json_lines, parse_json
from assay.formats.limits import MAX_FIELD, check_value
from assay.formats.places import Place, Problems, did_you_mean
from assay.formats.suite_check import check
from assay.formats.yaml_text import parse_yaml

_MESSAGES = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/message"}}
_MODEL_ID = re.compile(r"[^:/\s]+[:/]\S")
_PROMPT_FILES = (".txt", ".md", ".yaml", ".yml", ".json")


def parse_document(text: str, path: Path) -> tuple[Any, Mapping[str, int]]:
    """The value of a YAML or JSON text, told by the file's name, and the lines of all fields."""
    place = Place(str(path), 1)
    if path.suffix.lower() == ".json":
        return parse_json(text, place), json_lines(text)
    return parse_yaml(text, place)


def build_prompts(values: Any, folder: Path, problems: Problems) -> tuple[Prompt | StoredPrompt, ...]:
    """Prompts, with their files read; those of the store as references."""
    items = [values] if isinstance(values, str) else values
    prompts: list[Prompt | StoredPrompt] = []
    for number, value in enumerate(items):
        path = "prompts" if isinstance(values, str) else f"prompts.{number}"
        prompt: Mapping[str, Any] = {"text": value} if isinstance(value, str) else value
        if "stored" in prompt:
            prompts.append(_stored_prompt(prompt, path, problems))
            continue
        name = prompt.get("id") or _stem(prompt.get("file")) or f"prompt-{number + 1}"
        prompts.append(
            Prompt(
                name=name,
                messages=_messages_of(prompt, folder, path, problems),
                tools=tuple(prompt.get("tools", ())),
                response_format=prompt.get("response_format"),
            )
        )
    _check_unique([prompt.name for prompt in prompts], "prompts", "id", problems)
    return tuple(prompts)


def _stored_prompt(prompt: Mapping[str, Any], path: str, problems: Problems) -> StoredPrompt:
    for key in ("tools", "response_format"):
        if key in prompt:
            problems.add(f"{path}.{key}", f"a stored prompt has its own {key}", remedy="Leave it out here.")
    return StoredPrompt(
        name=prompt.get("id") or prompt["stored"],
        reference=parse_reference(prompt["stored"]),
        place=f"{path}.stored",
    )


def _stem(file: str | None) -> str | None:
    return Path(file).stem if file else None


def _messages_of(
    prompt: Mapping[str, Any], folder: Path, path: str, problems: Problems
) -> tuple[Message, ...]:
    if "text" in prompt:
        return (Message("user", prompt["text"]),)
    if "messages" in prompt:
        return _messages(prompt["messages"])
    try:
        return read_prompt(folder / prompt["file"])
    except InvalidInput as problem:
        problems.add(f"{path}.file", str(problem))
        return ()


def _messages(values: Sequence[Mapping[str, Any]]) -> tuple[Message, ...]:
    return tuple(Message(value["role"], value["content"]) for value in values)


def read_prompt(path: Path) -> tuple[Message, ...]:
    """The messages of a prompt file: .txt and .md are one message of the user, .yaml and .json a list.

    The line end at the end of a text file does not count.
    """
    if path.suffix.lower() not in _PROMPT_FILES:
        raise InvalidInput(
            f"the extension {path.suffix!r} is not one of {', '.join(_PROMPT_FILES)}", file=str(path)
        )
    text = read_text(path, "a prompt", MAX_FIELD)
    if path.suffix.lower() in (".txt", ".md"):
        return (Message("user", text.removesuffix("\n").removesuffix("\r")),)
    value, lines = parse_document(text, path)
    problems = Problems(str(path), lines)
    check(value, _MESSAGES, "", problems)
    problems.raise_any()
    return _messages(value)


def build_models(
    values: Sequence[Any],
    folder: Path,
    environment: Mapping[str, str],
    problems: Problems,
    field: str = "models",
) -> tuple[ModelConfig, ...]:
    """Models; addresses are resolved against the environment, files against the folder."""
    models = []
    for number, value in enumerate(values):
        named = {"id": value} if isinstance(value, str) else value
        config = _model(named, environment, f"{field}.{number}", problems)
        models.append(replace(config, options=_with_file(config, folder)))
    _check_unique([model.name for model in models], field, "label", problems)
    if field == "models":
        _check_fallbacks(models, problems)
    return tuple(models)


def _with_file(config: ModelConfig, folder: Path) -> Mapping[str, Any]:
    """The options with the file of recordings, if there is one, found from the suite's folder."""
    file = config.options.get("file", config.model if config.provider == "replay" else None)
    if not isinstance(file, str) or file.startswith("${"):
        return config.options
    return {**config.options, "file": str((folder / file).absolute())}


def split_model(text: str) -> tuple[str, str]:
    """Provider and model of `provider:model` or `provider/model`: the first sign parts them."""
    place = min(position for sign in ":/" if (position := text.find(sign)) > 0)
    return text[:place], text[place + 1 :]


def is_model_id(text: str) -> bool:
    """Whether a text is `provider:model` or `provider/model`."""
    return bool(_MODEL_ID.match(text))


def _model(
    value: Mapping[str, Any], environment: Mapping[str, str], path: str, problems: Problems
) -> ModelConfig:
    provider, model = split_model(value["id"])
    places = {
        name: substitute(value[name], environment, f"{path}.{name}", problems)
        for name in ("base_url", "headers", "options")
        if name in value
    }
    # Headers and options may refer to keys: they are checked here, and resolved where a model is made.
    url = places.get("base_url") or None
    if url is not None and not url.startswith(("https://", "http://")):
        problems.add(f"{path}.base_url", f"{url!r} is not an address that begins with https:// or http://")
    if "credential" in value and "key_variable" in value:
        problems.add(f"{path}.credential", "a model has one key", remedy="Remove this or `key_variable`.")
    return ModelConfig(
        name=value.get("label") or value["id"],
        provider=provider,
        model=model,
        parameters=value.get("parameters", {}),
        base_url=url,
        key_variable=value.get("key_variable"),
        headers=value.get("headers", {}),
        options=value.get("options", {}),
        stream=value.get("stream", False),
        timeouts=Timeouts(**{name: float(limit) for name, limit in value.get("timeouts", {}).items()}),
        limits=Limits(**value.get("limits", {})),
        price=Price(**value["price"]) if "price" in value else None,
        fallbacks=tuple(value.get("fallbacks", ())),
        credential=value.get("credential"),
    )


def _check_fallbacks(models: Sequence[ModelConfig], problems: Problems) -> None:
    following = {model.name: model.fallbacks for model in models}
    for number, model in enumerate(models):
        for place, label in enumerate(model.fallbacks):
            path = f"models.{number}.fallbacks.{place}"
            if label not in following:
                problems.add(path, f"there is no model {label!r}{did_you_mean(label, following)}")
            elif _reaches(label, model.name, following):
                problems.add(path, f"a circle: {label!r} falls back to {model.name!r}")


def _reaches(start: str, target: str, following: Mapping[str, Sequence[str]]) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name == target:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(following.get(name, ()))
    return False


def build_metrics(values: Sequence[Any], problems: Problems) -> tuple[MetricConfig, ...]:
    """Metrics, from any of their three forms."""
    metrics = []
    for value in values:
        settings: Mapping[str, Any] = {"type": value} if isinstance(value, str) else value
        if "type" not in settings:
            (kind, inner), *_ = settings.items()
            settings = {"type": kind, **(inner or {})}
        metrics.append(
            MetricConfig(
                name=settings.get("name") or settings["type"],
                type=settings["type"],
                options=settings.get("options", {}),
                threshold=settings.get("threshold"),
                weight=float(settings.get("weight", 1.0)),
            )
        )
    _check_unique([metric.name for metric in metrics], "metrics", "name", problems)
    return tuple(metrics)


def build_race(value: bool | Mapping[str, Any]) -> RaceConfig | None:
    """A race: true, or its settings; None for the whole grid."""
    if isinstance(value, bool):
        return RaceConfig() if value else None
    numbers = {name: float(value[name]) for name in ("within", "alpha") if name in value}
    return RaceConfig(**{**value, **numbers})


def build_dataset(value: Mapping[str, Any], folder: Path, name: str, problems: Problems) -> DatasetSource:
    """Where the cases come from; `value` is the suite."""
    dataset = value.get("dataset", {})
    dataset = {"file": dataset} if isinstance(dataset, str) else dataset
    if "file" in dataset:
        return _file_source(dataset, folder, name, problems)
    if "stored" in dataset:
        return _stored_source(dataset, problems)
    prefix = "dataset.cases" if "cases" in dataset else "cases"
    rows = dataset.get("cases") or value.get("cases") or []
    return DatasetSource(
        name=dataset.get("name") or name,
        cases=_inline(rows, dataset.get("fields", {}), prefix, problems),
        split=dataset.get("split"),
    )


def _stored_source(dataset: Mapping[str, Any], problems: Problems) -> DatasetSource:
    for key in ("name", "format", "fields"):
        if key in dataset:
            problems.add(
                f"dataset.{key}", f"a stored data set has its own {key}", remedy="Leave it out here."
            )
    reference = parse_reference(dataset["stored"])
    return DatasetSource(name=reference.name, stored=reference, split=dataset.get("split"))


def _file_source(dataset: Mapping[str, Any], folder: Path, suite: str, problems: Problems) -> DatasetSource:
    path = (folder / dataset["file"]).absolute()
    field = "dataset.file" if "dataset.file" in problems.lines else "dataset"
    if not path.is_file():
        near = [item.name for item in path.parent.glob("*") if item.is_file()] if path.parent.is_dir() else []
        problems.add(field, f"there is no file {path}{did_you_mean(path.name, near) if near else ''}")
    elif "format" not in dataset and path.suffix.lower() not in EXTENSIONS:
        problems.add(
            field, f"the extension {path.suffix!r} is none of {', '.join(EXTENSIONS)}", remedy="Set `format`."
        )
    return DatasetSource(
        name=dataset.get("name") or f"{suite}/{path.stem}",
        path=path,
        format=dataset.get("format"),
        fields=dataset.get("fields", {}),
        split=dataset.get("split"),
    )


def _inline(
    rows: Sequence[Any], fields: Mapping[str, str], prefix: str, problems: Problems
) -> tuple[Case, ...]:
    builder = CaseBuilder(fields)
    cases: list[Case] = []
    first: dict[str, int | None] = {}
    for number, row in enumerate(rows):
        path = f"{prefix}.{number}"
        line = problems.line_of(path)
        try:
            check_value(row)
            case = builder.build(row, number + 1, Place(problems.file, line))
        except InvalidInput as problem:
            problems.add(f"{path}.{problem.field}" if problem.field else path, problem.message)
            continue
        except ValueError as problem:
            problems.add(path, str(problem))
            continue
        if case.key in first:
            problems.add(path, f"the id {case.key!r} is there twice, first in line {first[case.key]}")
        first.setdefault(case.key, line)
        cases.append(case)
    try:
        builder.check_seen(Place(problems.file))
    except InvalidInput as problem:
        problems.add(f"dataset.{problem.field}", problem.message)
    return tuple(cases)


def _check_unique(names: Sequence[str], path: str, key: str, problems: Problems) -> None:
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        if name in first:
            problems.add(
                f"{path}.{number}",
                f"{name!r} is there twice, first as {path}.{first[name]}",
                remedy=f"Give one of them another `{key}`.",
            )
        first.setdefault(name, number)
