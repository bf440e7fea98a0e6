"""Judges: models that say whether a passage supports a claim, or answers a query."""
