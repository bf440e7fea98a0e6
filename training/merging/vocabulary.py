"""What a recipe's tokenizer section makes of the embedding: one row per token, other rows, new tokens, padding.

mergekit 0.1.5 gives every token of the output its own row of each model. `tokens` names other rows: for a token that no
model has, or with `force` for any. All tokenizers that are merged are equal, so no other token lacks a row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from adapters.errors import ModelError
from training.merging.checkpoint import Checkpoint
from training.merging.patched import PatchedTensor, Row, mean_row, row_of
from training.merging.recipe import Recipe, TokenSource
from training.merging.tensors import Tensor
from training.merging.tokenizer import Tokenizer

_BY_TOKEN = re.compile(
    r"(^|[./])(embed_tokens|embed_in|wte|word_embeddings|tok_embeddings|lm_head|predictions|predictions\.decoder)"
    r"\.(weight|bias)$"
)


@dataclass(frozen=True)
class MergedVocabulary:
    """The rows of the embedding of the output."""

    kept: int
    """The first rows, which are those of the checkpoints: one for each of their tokens."""
    added: tuple[str, ...] = ()
    """New tokens, whose rows follow."""
    rows: int = 0
    """All rows, with those that only pad."""
    sources: Mapping[int, TokenSource] = field(default_factory=dict)
    """The rows that are not those of the checkpoints, and where they come from."""
    ids: Mapping[str, int] = field(default_factory=dict)
    """The ids of the tokens of the checkpoints."""
    notes: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """The number of tokens."""
        return self.kept + len(self.added)


def vocabulary_of(recipe: Recipe, home: Checkpoint) -> MergedVocabulary | None:
    """The rows of the output; None if they are those of the checkpoints.

    Raises:
        ModelError: there is no tokenizer; or the ids of the tokens have gaps, so no rows can be left out or added; or
            the tokenizer cannot be read, or has no row for each of its tokens, and rows are to be replaced.
        UsageError: a token has no source that can be used.
    """
    if not recipe.by_token:
        return None
    tokenizer, rows = Tokenizer(home.name, home.folder.path), home.folder.config.get("vocab_size")
    if not tokenizer.present:  # transformers would make one without words
        raise ModelError(
            f"merge: {home.name} has no tokenizer files, which the tokenizer section of the recipe needs; copy those "
            "that it was trained with into its folder, or leave the section out"
        )
    reads = tokenizer.reads
    ids = {} if isinstance(reads, str) else reads.vocabulary()
    changes = bool(recipe.tokens) or recipe.pad_to is not None
    if not ids or not isinstance(rows, int) or len(ids) > rows:
        if changes:
            raise ModelError(f"merge: {home.name} has no row for each token of a tokenizer that can be read here")
        return None
    if not changes and len(ids) == rows:
        return None
    if max(ids.values()) >= len(ids):
        raise ModelError(
            f"merge: the {len(ids):,} tokens of {home.name} have ids up to {max(ids.values()):,}, so the embedding "
            "cannot be cut to their number; leave out the tokenizer section of the recipe"
        )
    return _made(recipe, ids, rows)


def applied(one: Checkpoint, vocabulary: MergedVocabulary, opened: Mapping[str, Checkpoint]) -> Checkpoint:
    """The checkpoint with the rows of the output in what has a row for each token.

    Args:
        opened: all checkpoints as they are, with the same names for their tensors.

    Raises:
        ModelError: a row that a token gets does not exist, or has a format that does not fit.
    """
    size = one.folder.config.get("vocab_size")
    named = {name: tensor for name, tensor in one.tensors.items() if _BY_TOKEN.search(name)}
    found = {
        name: _with_rows(tensor, vocabulary, {model: other.tensors.get(name) for model, other in opened.items()})
        for name, tensor in named.items()
        if tensor.shape[:1] == (size,)
    }
    return replace(one, replaced=found)


def _made(recipe: Recipe, ids: Mapping[str, int], rows: int) -> MergedVocabulary:
    added = tuple(one.token for one in recipe.tokens if one.token not in ids)
    places = {**ids, **{token: len(ids) + place for place, token in enumerate(added)}}
    used = [one for one in recipe.tokens if one.force or one.token in added]
    for one in used:
        one.check(known=one.token in ids)
    unused = [one.token for one in recipe.tokens if one not in used]
    notes = [f"the token {token!r} has a row in all models, which is kept; set force: true to replace it"
             for token in unused]  # fmt: skip
    count = len(ids) + len(added)
    padded = -(-count // recipe.pad_to) * recipe.pad_to if recipe.pad_to else count
    if len(ids) < rows:
        notes.append(f"the embedding has one row for each of the {len(ids):,} tokens; the others were left out")
    notes += [f"{len(used):,} rows of the embedding are those that the recipe names"] if used else []
    notes += [f"{len(added):,} tokens were added: {', '.join(map(repr, added[:3]))}"] if added else []
    notes += [f"{padded - count:,} rows without a token pad the embedding; each is the mean"] if padded > count else []
    return MergedVocabulary(len(ids), added, padded, {places[one.token]: one for one in used}, ids, tuple(notes))


def _with_rows(tensor: Tensor, vocabulary: MergedVocabulary, same: Mapping[str, Tensor | None]) -> Tensor:
    """A tensor with the rows of the output.

    Args:
        same: the tensor of this name in each model.
    """
    if not vocabulary.sources and vocabulary.rows <= vocabulary.kept:
        return tensor.cut(vocabulary.kept)
    if not tensor.mergeable:
        raise ModelError(
            f"merge: the rows of '{tensor.name}' cannot be replaced, because it has the format {tensor.dtype}"
        )
    rows = {place: _row(tensor, place, one, vocabulary, same) for place, one in vocabulary.sources.items()}
    filled = PatchedTensor.of(tensor.cut(vocabulary.kept), vocabulary.tokens, rows)
    if vocabulary.rows == vocabulary.tokens:
        return filled
    mean = mean_row(filled)
    padding = dict.fromkeys(range(vocabulary.tokens, vocabulary.rows), mean)
    return PatchedTensor.of(tensor.cut(vocabulary.kept), vocabulary.rows, {**rows, **padding})


def _row(
    tensor: Tensor, place: int, one: TokenSource, vocabulary: MergedVocabulary, same: Mapping[str, Tensor | None]
) -> Row:
    if one.zero:
        return np.zeros_like(row_of(tensor, 0))
    source = same[str(one.model)]
    if source is None:
        raise ModelError(f"merge: {one.model} has no tensor '{tensor.name}', so it has no row for {one.token!r}")
    number = one.other if isinstance(one.other, int) else place if one.other is None else vocabulary.ids.get(one.other)
    if number is None or not 0 <= number < source.shape[0]:
        raise ModelError(f"merge: {one.model} has no row for {one.other!r}, which the token {one.token!r} should get")
    if source.dtype not in {tensor.dtype, "F32"} and tensor.dtype != "F32":
        raise ModelError(
            f"merge: the row for {one.token!r} has the format {source.dtype} in {one.model} and does not fit into "
            f"{tensor.dtype}; convert the models to one format first"
        )
    return row_of(source, number, tensor.dtype)
