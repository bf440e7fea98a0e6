"""New tokens in the tokenizer of a merge, as transformers adds and saves them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapters.errors import ModelError, need
from adapters.loading import quiet_loading
from training.merging.tokenizer import Tokenizer


def add(folder: Path, tokens: Sequence[str], first: int) -> None:
    """Add tokens to the tokenizer in a folder and save it there. Their ids are first, first + 1, ...

    Raises:
        ModelError: transformers cannot read the tokenizer, or gives a token another id.
    """
    library = need("transformers", "models", "adding tokens")
    try:
        with quiet_loading():
            tokenizer = library.AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
            for token in tokens:
                tokenizer.add_tokens(token)
            tokenizer.save_pretrained(folder)
    except (OSError, ValueError, RuntimeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"merge: no token can be added to the tokenizer of the base ({reason})") from None
    reads = Tokenizer(str(folder), folder).reads
    found = {} if isinstance(reads, str) else reads.vocabulary()
    for number, token in enumerate(tokens, first):
        if found.get(token) != number:
            raise ModelError(
                f"merge: the new token {token!r} has the id {found.get(token)} and not {number}; its tokenizer cannot "
                "be extended, leave the token out"
            )
