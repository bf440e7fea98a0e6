"""Alarms about faults that silently change a score. Each has a name."""
