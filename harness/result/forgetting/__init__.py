"""Remove results, collections and caches from a workspace: what a name selects, what is cited, and the removal."""
