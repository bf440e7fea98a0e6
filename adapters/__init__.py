"""Models behind small protocols.

This package turns texts into vectors, candidates and scores. It knows texts and scores, never judgments, and imports
nothing from the other packages.
"""
