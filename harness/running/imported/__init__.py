"""What others computed, taken in: their run files become runs that are measured here, their means stay means.

Nothing here can be mistaken for a measurement of ours: every name is marked, and every identity says what
it was made of. It loads no model and never guesses a value that a file does not have.
"""
