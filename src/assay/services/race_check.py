"""Whether a suite can be raced, found out before any call."""

from dataclasses import replace

from assay.domain.errors import InvalidInput
from assay.domain.jobs import Plan
from assay.domain.suites import Suite
from assay.metrics.catalog import get_info


def check_race(suite: Suite, plan: Plan) -> Plan:
    """The plan with the metric that decides its race. Raises InvalidInput for what cannot be raced."""
    if plan.race is None:
        return plan
    if len(plan.prompts) * len(plan.models) < 2:
        raise _problem(suite, "race", "there is one candidate only", "Give a second prompt or model.")
    scores = {metric.name: get_info(metric.type).kind != "measure" for metric in plan.metrics}
    bounded = [name for name, is_bounded in scores.items() if is_bounded]
    metric = plan.race.metric or next(iter(bounded), None)
    if metric is None:
        raise _problem(
            suite, "race.metric", "no metric has scores between 0 and 1", "Add one that has, as `exact`."
        )
    remedy = f"Take one of: {', '.join(bounded)}." if bounded else "Add a metric that has such scores."
    if metric not in scores:
        raise _problem(suite, "race.metric", f"the suite has no metric {metric!r}", remedy)
    if not scores[metric]:
        problem = f"{metric!r} has no bounds; a race needs scores between 0 and 1"
        raise _problem(suite, "race.metric", problem, remedy)
    return replace(plan, race=replace(plan.race, metric=metric))


def _problem(suite: Suite, field: str, message: str, remedy: str) -> InvalidInput:
    if "race" not in suite.lines:
        return InvalidInput(message, field=f"--{field.replace('.', '-')}", remedy=remedy)
    line = suite.lines.get(field, suite.lines["race"])
    file = None if suite.path is None else str(suite.path)
    return InvalidInput(message, file=file, line=line, field=field, remedy=remedy)
