"""Faults of a set of queries that can be said in words: copies, repetitions, another language, random words.

Each rule reads the queries, their documents and the corpus; none needs real queries or a model. Real queries, if there
are any, say what is usual: what they do too is no fault. A rule never compares distributions; that is what the measures
do.
"""
