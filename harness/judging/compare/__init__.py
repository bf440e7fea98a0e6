"""Two systems on the same queries and the same candidates, and what can be said of the difference.

This package reads evaluations, of the store or fresh ones. It never scores a pair, loads a model or draws a table.
"""
