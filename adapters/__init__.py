"""Models behind small protocols.

This room turns texts into vectors, candidates and scores. It knows texts and scores, never judgments, and imports
nothing of the other rooms.
"""
