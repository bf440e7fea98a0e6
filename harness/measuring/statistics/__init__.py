"""Statistics of paired values per query: intervals, tests, corrections. Pure functions of arrays."""
