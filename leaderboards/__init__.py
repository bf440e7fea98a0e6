"""Published numbers and ranking pages.

Published numbers are always marked as such and are not ranked.
"""
