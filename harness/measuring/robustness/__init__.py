"""Robustness: texts that are changed on purpose, and what the values of a system on them say. It scores nothing."""
