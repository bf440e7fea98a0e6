"""Judges and labels of people: judgments that are kept, how far they agree, and means that people's labels correct."""
