"""An embedder as a student: it scores a pair by the similarity of two vectors, as its adapter does.

Queries and documents are read with the prompts that the folder declares, and are cut as the adapter cuts them. In a
step every text is embedded once, however many pairs it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from adapters.batching import one_at_a_time
from adapters.end_token import refuse_missing_end
from adapters.errors import ModelError, need
from adapters.loading import load_sentence_model
from adapters.models import ModelFolder
from adapters.protocols import IndexPairs, Integers, Role
from adapters.sentence_model import read_max_length, read_prompts
from adapters.similarity import Similarity
from adapters.vector_form import form_of
from training.lora import add_lora, halve_frozen
from training.precision import is_narrow
from training.scorer import Scorer
from training.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor, nn

SCALE = 20.0
"""The score in training is this times the cosine, as in the losses of sentence-transformers: cosines of an embedder
differ by a tenth, and the targets of a loss by several units. It does not change an order."""
_BLOCK = 1024
_COMPARED: tuple[Similarity, ...] = ("cosine", "dot")


@dataclass(frozen=True)
class EncodedTexts:
    """The texts of pairs; a text is tokenised in the step that needs it."""

    queries: Sequence[str]
    documents: Sequence[str]
    pairs: IndexPairs
    """int64 [pairs, 2]: the query and the document of each pair."""
    lengths: Integers
    """Tokens of the query and of the document together, after truncation."""
    tokens: npt.NDArray[np.int32]
    """Document tokens after truncation; what was cut is not counted."""
    kept: npt.NDArray[np.int32]
    """Document tokens after truncation."""

    def inputs(self, rows: Integers) -> npt.NDArray[np.uint64]:
        """Two vectors have no common input, so there is no digest."""
        return np.zeros(len(rows), np.uint64)


@dataclass
class _Texts:
    """A loaded `SentenceTransformer` with its prompts; it encodes for training."""

    model: Any
    prompts: dict[Role, str]
    max_length: int

    def encode(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> EncodedTexts:
        """See `training.encoded.Encoder`."""
        left, right = self._lengths(queries, "query"), self._lengths(documents, "document")
        own = right[pairs[:, 1]].astype(np.int32)
        return EncodedTexts(queries, documents, pairs, left[pairs[:, 0]] + own, own, own)

    def vectors(self, texts: Sequence[str], role: Role, device: str) -> Tensor:
        """The vectors of texts with gradients, float32 [texts, dim]."""
        torch = need("torch", "models", "training")
        features = self.model.preprocess(list(texts), prompt=self.prompts[role] or None, task=role)
        features = {
            name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in features.items()
        }
        made: Tensor = self.model(features)["sentence_embedding"][:, : self.model.truncate_dim].float()
        return made

    def _lengths(self, texts: Sequence[str], role: Role) -> Integers:
        found = [
            self.model.preprocess(list(texts[start : start + _BLOCK]), prompt=self.prompts[role] or None, task=role)
            for start in range(0, len(texts), _BLOCK)
        ]
        return np.concatenate([np.empty(0, np.int64), *(one["attention_mask"].sum(dim=1).numpy() for one in found)])


def load_embedder(folder: ModelFolder, settings: Settings, device: str, *, half: bool) -> Scorer:
    """Load an embedder for training.

    Args:
        half: whether the layers will compute in bfloat16.

    Raises:
        ModelError: the folder declares no length or compares vectors by a distance, or a file cannot be loaded.
        UsageError: the rank of the low-rank updates is larger than a dimension of a layer.
    """
    similarity = form_of(folder).similarity
    if similarity not in _COMPARED:
        raise ModelError(
            f"'{folder.name}' compares vectors by {similarity}, which is not trained here; take an embedder that "
            f"compares by {' or '.join(_COMPARED)}"
        )
    length = read_max_length(folder, settings.max_length)
    if length is None:
        raise ModelError(f"'{folder.name}' has no maximum length; set max_length (--max-length)")
    model = load_sentence_model(folder, "SentenceTransformer", "float32", device)
    model.max_seq_length = length
    refuse_missing_end(folder, model)
    # the next step is tokenised while this one is computed, and two threads must not use a tokenizer at the same time
    model.preprocess = one_at_a_time(model.preprocess)
    for parameter in model.parameters():  # it was loaded for scoring
        parameter.requires_grad_(requires_grad=True)
    if settings.lora_rank:
        add_lora(model, settings.lora_rank)
        model.to(device)
        if half and is_narrow(folder):
            halve_frozen(model)
    texts = _Texts(model, read_prompts(folder), length)
    about = {"scores": f"{SCALE:g} x cosine" if similarity == "cosine" else similarity}
    return Scorer(model, texts, _logits(texts, similarity, device), about, write=_write)


def _logits(texts: _Texts, similarity: Similarity, device: str) -> Callable[[EncodedTexts, Integers], Tensor]:
    torch = need("torch", "models", "training")

    def logits(encoded: EncodedTexts, rows: Integers) -> Tensor:
        sides = []
        for column, (known, role) in enumerate(((encoded.queries, "query"), (encoded.documents, "document"))):
            wanted, place = np.unique(encoded.pairs[rows, column], return_inverse=True)
            vectors = texts.vectors([known[int(one)] for one in wanted], role, device)  # type: ignore[arg-type]
            if similarity == "cosine":
                vectors = torch.nn.functional.normalize(vectors, dim=1)
            sides.append(vectors[torch.from_numpy(place).to(device)])
        scores: Tensor = (sides[0] * sides[1]).sum(dim=1) * (SCALE if similarity == "cosine" else 1.0)
        return scores

    return logits


def _write(model: nn.Module, folder: Path, dtype: Any) -> None:
    """Write all modules of sentence-transformers, in the number format of the base."""
    sentence_model: Any = model
    kept = next(sentence_model.parameters()).dtype
    try:
        sentence_model.to(dtype).save(str(folder), create_model_card=False)
    finally:
        sentence_model.to(kept)
