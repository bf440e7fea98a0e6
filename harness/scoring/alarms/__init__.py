"""Alarms about candidates, scores and unjudged documents."""
