"""Measures over arrays: one tie rule, controls, chance, and a cross-check with trec_eval's code."""
