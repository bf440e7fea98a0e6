"""Imports the results of others. Run files are measured here; means are stored as means.

Imported results cannot be mistaken for measurements: names are marked, and identities contain the origin. No model is
loaded, and values that a file does not contain are not guessed.
"""
