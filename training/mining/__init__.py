"""Candidates for synthetic queries from several retrievers, and the choice of those that a student is shown.

This room never scores a pair: a teacher does.
"""
