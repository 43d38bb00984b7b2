"""For tests of applications and metrics, with or without pytest.

`assert_case` holds one output to metrics, `check_metric` a metric of your own to what all of them promise.
"""

from assay.testing.contract import check_metric
from assay.testing.invariants import assert_case

__all__ = ["assert_case", "check_metric"]
