"""Evaluate rerankers: collections, runs, measures, the ledger of scored pairs, results and their audit.

This room decides what a number means and where it comes from. It never draws tables or trains models.
"""
