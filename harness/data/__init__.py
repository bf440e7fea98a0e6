"""What is searched, asked and judged: collections, their sources, suites, and runs."""
