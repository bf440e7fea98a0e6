"""What silently changes a score, as alarms with a name."""
