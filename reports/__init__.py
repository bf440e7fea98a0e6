"""Tables and pages made from results.

This package computes no measures. It only shows what the results store holds.
"""
