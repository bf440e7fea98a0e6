"""Score a collection with a system: first stages, rerankers, the ledger of known pairs, and the audit."""
