"""Queries for documents that nobody has asked for yet: profiles, prompts, a strict parser, a conformance report.

This package never sees a judgment or a real query.
"""
