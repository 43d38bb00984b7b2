"""Small packs of rules and clauses, texts to hold to them, and a judge that is told what to say."""

import json
from typing import Any

import judge
import provider

from assay.domain.datasets import Case
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample, Score
from assay.metrics.catalog import make_metric

LEGAL, CONTRACT = "legal_compliance", "contract_completeness"
HEAD = """\
pack: ours
title: Ours
version: "1"
defaults: {jurisdictions: ["*"], source: House rules, kind: prohibited, severity: major, message: Not so.}
rules:
"""
BY_WORDS = "  - {id: ours.words, title: By words, patterns: [alpha], severity: minor}\n"
BY_JUDGE = """\
  - {id: ours.kind, title: Is kind, needs_judge: true, question: Is the text unkind?, message: It is unkind.}
  - {id: ours.true, title: Is true, needs_judge: true, question: Does the text boast?}
"""
TEXT = "Lovely flat, beta.\nIt would not \u201csuit\u201d the noisy."
CLAUSES = """\
pack: letters
title: Letters
version: "1"
contract: letter
jurisdictions: ["*"]
clauses:
  - {id: scope, title: Scope, level: required, why: What is done., source: Ours, headings: [scope]}
  - {id: fee, title: Fee, level: required, why: What it costs., source: Ours, headings: [fee],
     elements: {amount: ["{money}"], day: [payable within]}}
  - {id: law, title: Governing law, level: required, why: Which law., source: Ours, headings: [governing law]}
  - {id: term, title: Term, level: required, why: How long., source: Ours, headings: [term]}
  - {id: notice, title: Notices, level: required, why: Where to write., source: Ours, headings: [notices]}
"""
LETTER = """\
1. What we do
We read your lease and tell you what it means.
2. Fee
It is $900, which we ask for after the first meeting.
3. Governing law
[insert State]
4. Term
Deleted.
"""
"""Nothing that a rule knows of the scope and of notices, a part of the fee, no law, and no term."""

WHOLE = """\
1. Scope
We read your lease.
2. Fee
$900, payable within 7 days.
3. Governing law
New South Wales.
4. Term
One month.
5. Notices
To 1 Kent Street, Sydney.
"""


def answers(**said: tuple[str, str]) -> judge.Said:
    """A judge that gives these answers, (answer, quote) by the last word of the id, and no others."""

    def say(question: provider.Question) -> Any:
        fields = judge.schema_of(question)["properties"]["answers"]["items"]["properties"]
        key = "rule" if "rule" in fields else "clause"
        listed = [
            {key: id_, "reason": f"So it is with {id_}.", "quote": quote, "answer": answer}
            for id_ in fields[key]["enum"]
            for name, (answer, quote) in said.items()
            if id_.split(".")[-1] == name
        ]
        return judge.reply(json.dumps({"answers": listed}))

    return say


def by_rules(type_: str, text: str, **options: Any) -> Score:
    """The score without a judge."""
    metric = make_metric(MetricConfig(name="label", type=type_, options=options))
    (found,) = metric.score_batch([Sample(case=Case(key="1", vars={}), response=ModelResponse(text=text))])
    return found


def rules(found: Score) -> dict[str, dict[str, Any]]:
    return {each["rule"]: each for each in found.evidence["rules"]}


def clauses(found: Score) -> dict[str, dict[str, Any]]:
    return {each["clause"]: each for each in found.evidence["clauses"]}


def many_rules(count: int, words: str = "Is it so?") -> str:
    rule = "  - {{id: ours.r{}, title: R, needs_judge: true, question: '{}'}}\n"
    return HEAD + "".join(rule.format(number, words) for number in range(count))
