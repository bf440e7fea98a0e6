"""Judges and labels of people: judgments that are kept, how far judges agree with people, means that people's labels
correct, unjudged documents that people label, and versions of the labels of a collection."""
