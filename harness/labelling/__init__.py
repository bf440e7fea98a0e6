"""Judges and labels: judgments that are kept, how far judges agree with people, means that people's labels correct, and
versions of a collection's judgments: labels that are imported, and how two versions differ."""
