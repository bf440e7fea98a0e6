"""Runs systems on collections, and imports the results of others."""
