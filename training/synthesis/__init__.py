"""Synthetic queries for documents: profiles, prompts, a strict parser, a conformance report.

This package never sees a judgment or a real query.
"""
