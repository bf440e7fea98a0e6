"""The training loop that the harness guards: propose, evaluate, accept or refuse.

Training never judges its own checkpoints; the harness does.
"""
