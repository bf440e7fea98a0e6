"""From a collection and a system to scores: first stages, rerankers, the ledger of known pairs, and the audit."""
