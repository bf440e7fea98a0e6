"""Teachers score the mined pool through the ledger; blended and sampled, their scores become training examples.

This room never trains anything, and never sees a judgment.
"""
