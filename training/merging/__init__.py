"""Merge several checkpoints into one, tensor by tensor and in float32, with a report.

A recipe (`recipe`, read by `mergekit_yaml`) names checkpoints (`checkpoint`), which must agree (`agreement`). A plan
(`plan`) says what is done with each tensor. `methods` computes coefficients from inner products, `combine` and `sparse`
compute the values, and `writer` writes them. `merge` runs these steps, `report` describes the result, and `provenance`
records its sources.
"""
