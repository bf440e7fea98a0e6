"""Answers with citations: whether what they cite supports what they say, and where the losses come from."""
