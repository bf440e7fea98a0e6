"""The gated loop of `harness train adapt`: singles, a union model and merges, made here and judged before one ships.

The making half: `wishes` (what the user chose), `cost`, `tasks` (queries, leaks out, pools, scores), `ingredients`
(stage 1, one fine-tune for each task and seed, the union of equal compute), `integrity` (a broken checkpoint is refused
before it is merged or measured) and `merges` (soups and slerps). The judging half decides which of them is accepted.
"""
