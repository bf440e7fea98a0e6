"""Teachers score the mined pool through the ledger. Their scores are blended and sampled into training examples.

This package never trains a model and never reads a judgment.
"""
