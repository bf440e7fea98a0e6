"""Checks for what silently changes a score. They raise alarms, and repair nothing."""
