"""Faults that change a score in silence, planted for evaluators, ours and its peers'; run by benchmarks/hazards.py."""
