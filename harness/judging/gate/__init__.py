"""The gate: may this candidate replace what is accepted? A declared policy, held-back queries, a rule, counted looks.

It never changes a number, and it never lets one pass whose integrity is in doubt."""
