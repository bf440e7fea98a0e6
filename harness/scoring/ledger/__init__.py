"""The ledger of scored pairs: every (reranker, query text, document text) is scored once."""
