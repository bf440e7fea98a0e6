"""May a checkpoint replace another one, and how do two systems differ."""
