"""Reads answers with citations in the formats of others; what cannot be used is counted and named."""
