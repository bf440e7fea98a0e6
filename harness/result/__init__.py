"""Results as values: what the store writes and reads, and what every table, page and plot is made from."""
