"""The record of an adaptation: one description of it, for those who write it and for those who show it."""
