"""The gate, which decides whether a candidate may replace the accepted system: a declared policy, held-back queries, a
rule, and counted looks.

A *look* is one evaluation of a candidate on the gate's queries. Every look spends a part of the allowed error
probability, alpha. The gate does not change numbers, and no candidate passes whose numbers cannot be trusted.
"""
