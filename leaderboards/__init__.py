"""Published numbers and ranking pages.

It never mixes published and measured numbers unmarked.
"""
