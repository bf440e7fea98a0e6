"""Measures over arrays: one tie rule, controls, chance, and a check against trec_eval's own code."""
