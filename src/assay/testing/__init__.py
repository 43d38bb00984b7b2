"""For tests of applications: `assert_case` holds one output to metrics, with or without pytest."""

from assay.testing.invariants import assert_case

__all__ = ["assert_case"]
