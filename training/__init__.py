"""The training loop that the harness guards: propose, evaluate, accept or refuse.

It never judges its own work; the harness does.
"""
