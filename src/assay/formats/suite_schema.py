"""What a suite file may say: one table, which is the published JSON Schema and what the loader checks by.

`assay.schema.json` beside this file is `schema_text()`; a test holds them equal.
"""

import json
from collections.abc import Mapping
from typing import Any

from assay.domain.datasets import SPLITS

Schema = Mapping[str, Any]


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "description": description, **more}


def _count(description: str, minimum: int = 1, **more: Any) -> dict[str, Any]:
    return {"type": "integer", "minimum": minimum, "description": description, **more}


def _number(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "number", "description": description, **more}


def _object(description: str, properties: Schema, **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": False,
        **more,
    }


def _list(description: str, items: Schema, **more: Any) -> dict[str, Any]:
    return {"type": "array", "description": description, "minItems": 1, "items": items, **more}


def _free(description: str) -> dict[str, Any]:
    return {"type": "object", "description": description}


def _one_of(*names: str) -> list[dict[str, Any]]:
    return [{"required": [name]} for name in names]


_ROLES = ["system", "developer", "user", "assistant", "tool"]
_CONTENT_PART = {"type": "object", "description": "A content part as the provider takes it."}

MESSAGE = _object(
    "A chat message.",
    {
        "role": {"enum": _ROLES, "description": "Who speaks."},
        "content": {
            "anyOf": [{"type": "string"}, {"type": "array", "minItems": 1, "items": _CONTENT_PART}],
            "description": "A template, or content parts whose texts are templates.",
        },
    },
    required=["role", "content"],
)
PROMPT = _object(
    "A prompt: one of text, messages, file and stored.",
    {
        "id": _text("Name in tables, unique; prompt-1, prompt-2, ... when it is not set."),
        "text": _text("A template: one message of the user."),
        "messages": _list("Chat messages.", {"$ref": "#/$defs/message"}),
        "file": _text(
            "Path from the suite's folder: .txt or .md is one message of the user, .yaml or .json a list."
        ),
        "tools": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object"},
            "description": "Tools in the notation of OpenAI; they go to the provider as they are.",
        },
        "response_format": _free("How to answer, in the notation of OpenAI; goes to the provider as it is."),
        "stored": _text("A prompt of the store: NAME, NAME:VERSION or NAME@LABEL."),
    },
    oneOf=_one_of("text", "messages", "file", "stored"),
)
_MODEL_ID = _text(
    "provider:model or provider/model.",
    pattern=r"^[^:/\s]+[:/]\S",
    errorMessage="write provider:model, as in openai:gpt-4o-mini",
)
_SECONDS: Schema = {"type": "number", "exclusiveMinimum": 0}
_USD: Schema = {"type": "number", "minimum": 0}
MODEL = _object(
    "A model.",
    {
        "id": _MODEL_ID,
        "label": _text("Name in tables, unique; the id when it is not set."),
        "parameters": _free("Go to the provider as they are: temperature, max_tokens, ..."),
        "base_url": _text("Endpoint; ${NAME} and ${NAME:-default} are taken from the environment."),
        "key_variable": _text("Environment variable that holds the key."),
        "credential": _text("Name of a stored key (assay credentials), in place of one of the environment."),
        "headers": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "Further HTTP headers; ${NAME} is taken from the environment.",
        },
        "options": _free("What the provider's adapter can be told; ${NAME} is taken from the environment."),
        "stream": {"type": "boolean", "description": "Stream the answer, to measure the first token."},
        "timeouts": _object(
            "Limits of one attempt in seconds.",
            {
                "connect_s": {**_SECONDS, "description": "Connecting; 5."},
                "first_byte_s": {**_SECONDS, "description": "Until the first byte; 120."},
                "idle_s": {**_SECONDS, "description": "Between bytes; 60."},
                "total_s": {**_SECONDS, "description": "All of it; 300."},
            },
        ),
        "limits": _object(
            "What the model may be asked.",
            {
                "max_concurrency": _count("Calls at once."),
                "requests_per_minute": _count("Calls a minute."),
                "tokens_per_minute": _count("Tokens a minute."),
            },
        ),
        "price": _object(
            "US dollars for a million tokens.",
            {
                "input_usd": {**_USD, "description": "Input."},
                "output_usd": {**_USD, "description": "Output, with reasoning."},
                "cached_input_usd": {**_USD, "description": "Input that was read from the provider's cache."},
                "cache_write_usd": {**_USD, "description": "Input that was written to the provider's cache."},
            },
            required=["input_usd", "output_usd"],
        ),
        "fallbacks": _list("Labels of models to ask when this one cannot answer.", _text("A label.")),
    },
    required=["id"],
)
_FIELD_NAMES = ["id", "vars", "expected", "context", "metadata", "tags", "cluster", "weight", "split"]
DATASET = _object(
    "Where the cases come from: one of file, cases and stored.",
    {
        "file": _text("Path from the suite's folder."),
        "format": {
            "enum": ["csv", "tsv", "jsonl", "json", "yaml", "parquet"],
            "description": "When the file's name does not tell it.",
        },
        "name": _text("Name of the data set; the file's name when it is not set."),
        "fields": _object(
            "Our field -> the file's field; an empty text says that the file does not have it.",
            {
                name: {"type": "string", "description": f"The file's field for {name}."}
                for name in _FIELD_NAMES
            },
        ),
        "cases": {"$ref": "#/$defs/cases"},
        "stored": _text("A data set of the store: NAME, NAME:VERSION or NAME@LABEL."),
        "split": {"enum": list(SPLITS), "description": "Only the cases of this split take part."},
    },
    oneOf=_one_of("file", "cases", "stored"),
)
_METRIC_SETTINGS: Schema = {
    "name": _text("Name in tables, unique; the type when it is not set."),
    "threshold": _number("A score passes from here on."),
    "weight": _number("Weight in the case's mean; 1.", minimum=0),
    "options": _free("What the metric can be told."),
}
_SHORT_METRIC: Schema = {
    "type": "object",
    "description": "Short form: {rouge_l: {threshold: 0.5}}.",
    "minProperties": 1,
    "maxProperties": 1,
    "propertyNames": {"not": {"enum": list(_METRIC_SETTINGS)}},
    "additionalProperties": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/metric_settings"}]},
    "errorMessage": "say which metric: {type: rouge_l, ...} or {rouge_l: {...}}",
}
RACE = _object(
    "Stop candidates that cannot win.",
    {
        "metric": _text("Name of the metric that decides; the first one with scores between 0 and 1."),
        "within": _number(
            "The winner is the best, or at most this much worse; 0.02.", minimum=0, maximum=0.5
        ),
        "alpha": _number("How likely that may be wrong; 0.05.", minimum=0.0001, maximum=0.5),
        "batch": _count("Cases that a candidate is asked at a time; 25.", maximum=10_000),
    },
)
DEFINITIONS: Schema = {
    "message": MESSAGE,
    "prompt": PROMPT,
    "model": MODEL,
    "dataset": DATASET,
    "cases": _list("Cases in the suite itself: objects with id, vars, expected, ...", {"type": "object"}),
    "metric": _object("A metric.", {"type": _text("Type."), **_METRIC_SETTINGS}, required=["type"]),
    "metric_settings": _object("Settings of a metric.", _METRIC_SETTINGS),
    "short_metric": _SHORT_METRIC,
    "race": RACE,
}
SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Assay suite",
    **_object(
        "What to evaluate: prompts, models, cases, metrics.",
        {
            "$schema": _text("The schema of this file, for editors."),
            "name": _text("Name of the suite; the file's name when it is not set."),
            "description": {"type": "string", "description": "For people."},
            "prompts": {
                "description": "A template, or a list of templates and prompts.",
                "anyOf": [
                    _text("A template."),
                    _list("Prompts.", {"anyOf": [_text("A template."), {"$ref": "#/$defs/prompt"}]}),
                ],
            },
            "models": _list("Models.", {"anyOf": [_MODEL_ID, {"$ref": "#/$defs/model"}]}),
            "judges": _list(
                "Models that judge for metrics; the first is asked unless a metric names another.",
                {"anyOf": [_MODEL_ID, {"$ref": "#/$defs/model"}]},
            ),
            "canaries": {
                "type": "boolean",
                "description": "Ask the judges about answers that deserve no good score, once a run; true.",
            },
            "dataset": {
                "description": "A file, or more about it.",
                "anyOf": [_text("Path from the suite's folder."), {"$ref": "#/$defs/dataset"}],
            },
            "cases": {"$ref": "#/$defs/cases"},
            "metrics": _list(
                "Metrics.",
                {
                    "anyOf": [
                        _text("Type."),
                        {"$ref": "#/$defs/metric"},
                        {"$ref": "#/$defs/short_metric"},
                    ]
                },
            ),
            "repeats": _count("How often each cell is asked; 1.", maximum=1000),
            "seed": _count("Seed of everything that is drawn; 0.", 0, maximum=2**63 - 1),
            "concurrency": _count(
                "Calls at once; as many as the machine and the limits allow.", maximum=10_000
            ),
            "budget_usd": _number("The run stops before it would cost more.", exclusiveMinimum=0),
            "margin": _number("Difference of a quality metric that does not matter.", minimum=0, maximum=1),
            "race": {
                "description": "Stop candidates that cannot win; true, or more about it.",
                "anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/race"}],
            },
            "variables": _free("Template variables that a case does not set."),
        },
        required=["prompts", "models"],
        oneOf=_one_of("dataset", "cases"),
    ),
    "$defs": DEFINITIONS,
}


def schema_text() -> str:
    """The published file."""
    return json.dumps(SCHEMA, indent=2) + "\n"
