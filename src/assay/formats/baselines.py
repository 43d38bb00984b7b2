"""Names for baselines: `.assay/baselines.yaml` says which result file or job is meant by each."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from assay.domain.errors import InvalidInput
from assay.formats.decoding import read_text
from assay.formats.drafts import written
from assay.formats.places import Place
from assay.formats.yaml_text import parse_yaml

FILE = Path(".assay") / "baselines.yaml"
"""Where the names are kept, from the folder that commands run in."""
HEADER = "# Baselines of `assay gate`: name -> result file (from this repository's folder) or job.\n"
MAX_FILE = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}\Z")


def read_baselines(folder: Path) -> dict[str, str]:
    """The names of a folder and what they mean; none where the file is not there. Raises InvalidInput."""
    path = folder / FILE
    if not path.is_file():
        return {}
    place = Place(str(path), 1)
    found, lines = parse_yaml(read_text(path, "YAML", MAX_FILE), place, depth=1)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise place.problem("expected a mapping of names to result files or jobs")
    for name, target in found.items():
        if not isinstance(target, str) or not target:
            raise Place(str(path), lines.get(name, 1)).problem(
                "must be the path of a result file, or a job", field=name
            )
    return dict(found)


def save_baseline(folder: Path, name: str, target: str) -> Path:
    """Let a name mean a result file or job from now on; the file, which is replaced whole."""
    if not _NAME.match(name) or name == "last":
        raise InvalidInput(
            f"{name!r} cannot name a baseline",
            field="--save-baseline",
            remedy="Take letters, digits, dots, hyphens and slashes, as in: main, release/2.1",
        )
    path = folder / FILE
    known = {**read_baselines(folder), name: target}
    with written(path) as draft:
        path.parent.mkdir(exist_ok=True)
        draft.write_text(HEADER + yaml.safe_dump(known, allow_unicode=True), encoding="utf-8")
    return path
