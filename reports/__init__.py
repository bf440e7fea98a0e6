"""Tables and pages made from results.

This package computes no measure; it only shows what the results store holds.
"""
