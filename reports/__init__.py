"""Tables and pages made from results.

This room computes no measure; it only shows what the results store holds.
"""
