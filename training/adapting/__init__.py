"""The loop of `harness train adapt`: it makes singles, a union model and merges, and lets the gate judge them.

These modules make checkpoints: `settings`, `cost`, `tasks` (queries without leaks, pools, scores), `ingredients` (stage
1, one fine-tune for each task and seed, the union of equal compute, bags), `integrity` (broken checkpoints are refused
before they are merged or measured) and `merges` (soups and slerps). `arms`, `deciding`, `judging` and `claims` decide
which one is accepted.
"""
