"""All checks by name, in the order of the table. A module of checks is one line here."""

from stats import candidates, comparisons, intervals, judges, looks, races, traffic
from stats.rows import Check

MODULES = (intervals, comparisons, candidates, judges, looks, races, traffic)
CHECKS: dict[str, Check] = {check.__name__: check for module in MODULES for check in module.CHECKS}
