"""The metrics of this example, held to what all metrics promise: `pytest` in this folder."""

import pytest

from assay.domain.datasets import Case
from assay.testing import check_metric

CASE = Case(key="one", vars={"name": "Ada"})


@pytest.mark.parametrize("name", ["names_customer", "polite", "NoPromises"])
def test_a_metric_keeps_its_promises(name):
    check_metric(f"my_metrics.py:{name}", case=CASE)
