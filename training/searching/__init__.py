"""Search for the best merge of checkpoints within a counted number of looks at dev, and judge the winner once.

`proposals` says what is tried next, `measured` makes and measures it, `selection` says how optimistic the best value
is, and `search` runs these steps.
"""
