"""Synthetic queries held against real ones before anything is trained on them.

Every measure is told three ways: synthetic against real, one half of the real against the other (the noise floor), and
synthetic against another domain (the scale). A difference means something only between floor and scale.
"""
