"""Teachers score the mined pool through the ledger; blended and sampled, their scores become training examples.

This package never trains anything, and never sees a judgment.
"""
