"""Candidates for synthetic queries from several retrievers, and the choice of those that a student is shown.

This package never scores a pair: a teacher does.
"""
