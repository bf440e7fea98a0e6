"""Alarms about candidates, scores and unjudged documents. Importing this package completes the catalogue of hazards."""

from harness.measuring.alarms.catalogue import HAZARDS
from harness.scoring.alarms import candidates, scores

__all__ = ["HAZARDS", "candidates", "scores"]
