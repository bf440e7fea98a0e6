"""Compares two systems on the same queries and the same candidates.

This package reads evaluations, stored or in memory. It does not score pairs, load models or draw tables.
"""
