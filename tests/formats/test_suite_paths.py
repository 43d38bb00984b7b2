"""Paths in the options of metrics begin at the suite's folder."""

from pathlib import Path

from assay.domain.scores import MetricConfig
from assay.formats.suite_paths import with_paths


def resolved(folder: Path, **options: object) -> dict[str, object]:
    (metric,) = with_paths([MetricConfig(name="m", type="m", options=options)], folder)
    return dict(metric.options)


def test_a_file_beside_the_suite_is_named_wholly(tmp_path: Path) -> None:
    (tmp_path / "mine.py").touch()
    (tmp_path / "pack.yaml").touch()
    found = resolved(tmp_path, target="mine.py:Kind", packs=["legal_us", "pack.yaml"], rules="pack.yaml")
    assert found == {
        "target": f"{tmp_path}/mine.py:Kind",
        "packs": ["legal_us", f"{tmp_path}/pack.yaml"],
        "rules": f"{tmp_path}/pack.yaml",
    }


def test_what_is_no_file_is_left_as_it_is(tmp_path: Path) -> None:
    options = {"target": "package.module:name", "packs": "legal_us", "value": "mine.py", "rules": 7}
    assert resolved(tmp_path, **options) == options
    assert resolved(tmp_path, target="") == {"target": ""}
