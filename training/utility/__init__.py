"""What synthetic queries are worth: students trained on them, on real annotations, and on mixtures of both.

Five arms with equal numbers of queries, documents and steps differ in one thing at a time. The harness measures every
checkpoint on a judged collection that is not part of the training.
"""
