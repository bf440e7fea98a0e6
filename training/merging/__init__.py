"""One checkpoint out of several: read tensor by tensor, merged in float32, written as it goes, and reported.

The way of the data: a recipe (`recipe`, read from `mergekit_yaml`) names checkpoints (`checkpoint`), which have to
agree (`agreement`). A plan (`plan`) says for every tensor what is done with it; `methods` finds the coefficients from
inner products, `combine` and `sparse` make the values, `writer` writes them. `merge` is that way as code; `report` is
what it saw, `provenance` what it was made of.
"""
