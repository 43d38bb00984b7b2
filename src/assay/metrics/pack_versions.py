"""The version of a metric of rules: its own, and a hash of the rules in use.

So scores by other rules are told apart: jobs are not compared on them unless that is wanted.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from assay.metrics.entry import MetricSpec

DIGITS = 12


def text_digest(text: str) -> str:
    """SHA-256 of the text of a file of rules, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def with_rules(spec: MetricSpec, digests: Iterable[str]) -> MetricSpec:
    """The metric in a version that has the first digits of a hash over the files of rules, in this order."""
    rules = text_digest(" ".join(digests))[:DIGITS]
    return replace(spec, info=replace(spec.info, version=f"{spec.info.version}+{rules}"))
