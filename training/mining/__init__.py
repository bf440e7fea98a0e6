"""Candidates for synthetic queries from several retrievers, and the choice of those that a student is trained on.

Teachers score the pairs, in `training.teaching`.
"""
