"""The version of a metric of rules: scores by other rules are told apart."""

from pathlib import Path

import pytest

from assay.domain.scores import MetricConfig
from assay.metrics.catalog import get_info, make_metric

RULES = """\
pack: ours
title: Ours
version: "1"
defaults: {jurisdictions: ["*"], source: House rules, kind: prohibited, severity: major, message: No.}
rules:
  - {id: ours.a, title: A, patterns: [alpha]}
"""
CLAUSES = """\
pack: ours
title: Ours
version: "1"
contract: letter
jurisdictions: ["*"]
clauses:
  - {id: scope, title: Scope, level: required, why: Why, source: Ours, headings: [scope], cues: [alpha]}
"""
DUTY = """\
rules: ours
version: "1"
country: AU
cooling_off:
  - {state: NSW, days: 7, source: alpha}
"""
FILES = {
    "legal_compliance": ("packs", RULES),
    "contract_completeness": ("packs", CLAUSES),
    "real_estate_accuracy": ("rules", DUTY),
}
metrics = pytest.mark.parametrize("type_", FILES)


def version(type_: str, *files: Path, **options: object) -> str:
    name, _ = FILES[type_]
    given = {name: [str(file) for file in files]} if files else {}
    return make_metric(MetricConfig(name="m", type=type_, options={**given, **options})).info.version


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


@metrics
def test_the_version_has_a_hash_of_the_built_in_rules(type_):
    own, _, rules = version(type_).partition("+")
    assert own == get_info(type_).version
    assert len(rules) == 12 and int(rules, 16) >= 0
    assert version(type_) == version(type_)


@metrics
def test_rules_of_ones_own_that_change_make_another_version(tmp_path, type_):
    _, text = FILES[type_]
    first = version(type_, written(tmp_path, "first", text))
    other = version(type_, written(tmp_path, "other", text.replace("alpha", "beta")))
    moved = version(type_, written(tmp_path, "moved", text))
    assert len({version(type_), first, other}) == 3
    assert moved == first, "the name of the file is no rule"


def test_the_packs_in_use_count_and_their_order_does_not():
    packs = ["legal_au_prices", "legal_us_fair_housing"]
    both = version("legal_compliance", packs=packs)
    assert both == version("legal_compliance", packs=packs[::-1])
    assert both not in (version("legal_compliance"), version("legal_compliance", packs="legal_au_prices"))
    services = version("contract_completeness", packs="contracts_services")
    assert services != version("contract_completeness")


def test_options_that_are_no_rules_leave_the_version_as_it_is():
    assert version("legal_compliance", jurisdiction="NSW") == version("legal_compliance")
