"""Alarms about candidates, scores and texts that were left out."""
