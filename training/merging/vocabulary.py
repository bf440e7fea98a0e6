"""Rows of the embedding without a token. A recipe with a tokenizer section asks mergekit for one row per token."""

from __future__ import annotations

import re
from dataclasses import replace

from adapters.errors import ModelError
from training.merging.checkpoint import Checkpoint
from training.merging.tokenizer import Tokenizer

_BY_TOKEN = re.compile(
    r"(^|[./])(embed_tokens|embed_in|wte|word_embeddings|tok_embeddings|lm_head|predictions|predictions\.decoder)"
    r"\.(weight|bias)$"
)


def rows_of(home: Checkpoint) -> int | None:
    """The number of tokens, if the embedding has more rows; otherwise None.

    Raises:
        ModelError: the ids of the tokens have gaps, so no rows can be left out at the end.
    """
    reads = Tokenizer(home.name, home.folder.path).reads
    vocabulary = {} if isinstance(reads, str) else reads.vocabulary()
    count, rows = len(vocabulary), home.folder.config.get("vocab_size")
    if not vocabulary or not isinstance(rows, int) or count >= rows:
        return None
    if max(vocabulary.values()) >= count:
        raise ModelError(
            f"merge: the {count:,} tokens of {home.name} have ids up to {max(vocabulary.values()):,}, so the embedding "
            "cannot be cut to their number; leave out the tokenizer section of the recipe"
        )
    return count


def cut(one: Checkpoint, rows: int) -> Checkpoint:
    """The checkpoint with only the first rows of what has a row for each token."""
    size = one.folder.config.get("vocab_size")
    named = [name for name, tensor in one.tensors.items() if _BY_TOKEN.search(name) and tensor.shape[:1] == (size,)]
    return replace(one, rows=dict.fromkeys(named, rows))
