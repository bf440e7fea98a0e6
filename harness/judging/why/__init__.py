"""Why two systems differ: which documents moved, what was lost where, which queries explain it. Arrays in, values out:
no model is asked and no page is drawn; only `stored.py` reads the workspace."""
