"""Explains why two systems differ: which documents changed places, what was lost where, and which queries explain it.

These are functions of arrays. No model is run and no page is drawn; only `stored.py` reads the workspace.
"""
