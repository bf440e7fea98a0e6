"""Statistics of paired values per query: intervals, tests and corrections, as pure functions of arrays."""
