"""The pages of a board as text: each from values that were made before, through one template that escapes everything.

A page never computes a measure, reads the store or asks the network.
"""
