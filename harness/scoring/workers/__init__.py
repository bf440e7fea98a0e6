"""An engine of several processes on one machine, each with its own model and its own GPU or cores."""
