"""assay init."""

from collections.abc import Mapping
from pathlib import Path

import click

from assay.cli.progress import say
from assay.cli.session import load_settings
from assay.domain.errors import InvalidInput

MODELS = {
    "OPENAI_API_KEY": "openai:gpt-4o-mini",
    "ANTHROPIC_API_KEY": "anthropic:claude-haiku-4-5",
    "GEMINI_API_KEY": "gemini:gemini-2.5-flash-lite",
}
SUITE = """\
description: Which prompt finds the right field in a listing?

prompts:
  - id: plain
    text: "{{{{ listing }}}}\\n\\n{{{{ question }}}}"
  - id: careful
    messages:
      - role: system
        content: Answer with the value only, as it is written. Say "Not stated" if it is not there.
      - role: user
        content: "{{{{ listing }}}}\\n\\n{{{{ question }}}}"

models:
{models}
dataset: cases.jsonl

metrics:
  - exact
  - contains
  - rouge_l
"""
CASES = """\
{"id": "beds", "vars": {"listing": "Sunny 3 bedroom cottage on 412 sqm, guide $895,000.", "question": "How many bedrooms?"}, "expected": "3", "tags": ["listing"]}
{"id": "price", "vars": {"listing": "Sunny 3 bedroom cottage on 412 sqm, guide $895,000.", "question": "What is the price guide?"}, "expected": "$895,000", "tags": ["listing"]}
{"id": "land", "vars": {"listing": "Sunny 3 bedroom cottage on 412 sqm, guide $895,000.", "question": "What is the land size?"}, "expected": "412 sqm", "tags": ["listing"]}
{"id": "garage", "vars": {"listing": "Sunny 3 bedroom cottage on 412 sqm, guide $895,000.", "question": "How many garage spaces?"}, "expected": "Not stated", "tags": ["listing", "absent"]}
"""


@click.command(name="init")
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite what is there.")
def init_command(folder: Path, force: bool) -> int:
    """Write an example suite into FOLDER: assay.yaml and cases.jsonl."""
    texts = {"assay.yaml": SUITE.format(models=_models(load_settings().environment)), "cases.jsonl": CASES}
    taken = [name for name in texts if (folder / name).exists()]
    if taken and not force:
        raise InvalidInput(
            "is there already", file=str(folder / taken[0]), remedy="Choose another folder, or use --force."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        say(f"wrote {folder / name}")
    where = "" if folder == Path() else f" {folder}"
    say(f"Edit assay.yaml, then: assay run{where}")
    return 0


def _models(environment: Mapping[str, str]) -> str:
    ready = [model for key, model in MODELS.items() if environment.get(key)]
    if ready:
        return "".join(f"  - {model}\n" for model in ready)
    return (
        "  # No key was found, so this one only repeats the question. Put a model in its place:\n"
        + "".join(f"  # - {model}\n" for model in MODELS.values())
        + "  - echo:parrot\n"
    )
