"""Compare synthetic queries with real ones before training.

Every measure has three values: synthetic against real, one half of the real queries against the other (the noise
floor), and synthetic against another domain (the scale). A difference has to be read relative to floor and scale.
"""
