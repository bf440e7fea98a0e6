"""Suites of public collections as tables: which collections there are, where each lies, how it is measured.

A new task is a few lines of TOML. This package reads tables; it never reads texts, judgments or scores.
"""
