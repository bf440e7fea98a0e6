"""What synthetic queries are worth: students trained on them, on real annotations, and on what lies between.

At an equal number of queries, documents and steps, five arms differ in one thing at a time. Every checkpoint is
measured by the harness on a judged collection that nobody trained on.
"""
