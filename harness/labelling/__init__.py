"""Label unjudged documents: export them, import labels as a new version of a collection, compare two versions.

This package reads stored rankings and judgments. It runs no model.
"""
