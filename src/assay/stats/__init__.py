"""Statistics of evaluations: pure functions on numbers; the random generator is an argument."""
