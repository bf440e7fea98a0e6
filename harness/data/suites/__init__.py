"""Suites of public collections as tables: their collections, where to read them, and how to measure them.

A new task is a few lines of TOML. This package reads tables; it does not read texts, judgments or scores.
"""
