"""Judges: whether a premise supports a claim. One file for each kind; `adapters.spec.open_judge` opens them."""
