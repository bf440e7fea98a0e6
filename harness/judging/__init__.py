"""Decides whether a checkpoint may replace another, and shows how two systems differ."""
