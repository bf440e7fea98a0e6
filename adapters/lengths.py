"""The maximum number of tokens of an input, read from a model's files by one rule for all kinds of model."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.errors import ModelError
from adapters.models import ModelFolder

_COUNTED_FROM_PADDING = {
    "roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "roberta-prelayernorm", "mpnet", "longformer",
}  # fmt: skip
"""Model types that count positions from pad_token_id + 1, so the first pad_token_id + 1 rows are unused."""
_RELATIVE = {"t5", "mt5", "umt5", "longt5", "switch_transformers"}
"""Model types with relative positions: `n_positions` is their training length, not a limit."""
_UNLIMITED = 10**9
"""A tokenizer that was saved without a length has the length 10**30."""


def length_of(folder: ModelFolder, asked: int | None, usual: int | None = None, otherwise: int | None = None) -> int:
    """Tokens of a whole input, special tokens included. The rule is that of sentence-transformers, for every kind of
    model, whether it is evaluated, exported or trained.

    The length is `asked`, else the length that sentence-transformers saved (`model_max_length` in the options of its
    tokenizer, or `max_seq_length`; at most the number of positions), else the smallest of the tokenizer's limit, the
    positions of the network, and `usual`.

    Args:
        asked: the length that the user gives.
        usual: the length that models of this kind are published with.
        otherwise: the length if the files name none.

    Raises:
        ModelError: `asked` is more than the network has positions, or the files name no length.
    """
    positions = positions_of(folder)
    if asked is not None:
        if asked < 1 or (positions is not None and asked > positions):
            raise ModelError(
                f"'{folder.name}': max_length={asked} is not between 1 and its {positions or 'unknown'} positions"
            )
        return asked
    saved = _saved(folder)
    if saved is not None:
        return saved if positions is None else min(saved, positions)
    tokenizer = folder.tokenizer_settings.get("model_max_length")
    declared = int(tokenizer) if isinstance(tokenizer, int | float) and 0 < tokenizer < _UNLIMITED else None
    limits = [limit for limit in (declared, positions, usual) if limit is not None]
    if limits:
        return min(limits)
    if otherwise is None:
        raise ModelError(f"the files of '{folder.name}' name no maximum length; give one with ?max_length=512")
    return otherwise


def _saved(folder: ModelFolder) -> int | None:
    """The length that sentence-transformers saved; an option of its tokenizer overrides `max_seq_length`."""
    named = folder.tokenizer_options.get("model_max_length"), folder.transformer_settings.get("max_seq_length")
    return next((one for one in named if isinstance(one, int) and one > 0), None)


def positions_of(folder: ModelFolder) -> int | None:
    """The number of positions of the network; None if its config names none. An adapter has those of its base."""
    declared = folder.config if folder.base is None else folder.base.config
    nested = declared.get("text_config")
    config = {**(nested if isinstance(nested, Mapping) else {}), **declared}
    named = (config.get(key) for key in ("max_position_embeddings", "n_positions"))
    size = next((one for one in named if isinstance(one, int) and one > 0), None)
    if config.get("model_type") in _RELATIVE:
        return None
    if size is None or config.get("model_type") not in _COUNTED_FROM_PADDING:
        return size
    padding = config.get("pad_token_id")
    return size - 1 - (padding if isinstance(padding, int) else 1)
