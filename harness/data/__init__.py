"""Collections (documents, queries, judgments), their sources, suites, and runs."""
