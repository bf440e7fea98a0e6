"""Vectors of texts without padding, for sentence-transformers models whose first module is a BERT-like encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adapters.errors import need
from adapters.packed import PackedEncoder, packed_encoder
from adapters.padding import PROBE_TEXTS
from adapters.pair_inputs import Sequenced
from adapters.protocols import Floats, Integers, Role

_READ = {"input_ids", "attention_mask", "token_type_ids", "prompt_length", "modality"}
"""What the encoder, or a module after it, may get from the tokenizer."""
_AFTER = {"Dense", "Dropout", "LayerNorm", "Normalize"}
"""Modules that may follow the pooling: each reads only the vector of a text."""
_BLOCK = 256
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class TokenisedTexts:
    """Texts as the encoder reads them: with prompt and special tokens, truncated."""

    sequences: list[Sequenced]
    prompt_length: int | None
    """Tokens of the prompt, which some poolings leave out."""

    @property
    def lengths(self) -> Integers:
        """Tokens of each text."""
        return np.array([len(ids) for ids, _ in self.sequences], dtype=np.int64)


@dataclass(frozen=True)
class PackedSentences:
    """A loaded `SentenceTransformer`, whose encoder runs without padding. All other modules are its own."""

    model: Any
    encoder: PackedEncoder

    def tokenise(self, texts: Sequence[str], prompt: str, role: Role) -> TokenisedTexts:
        """Tokenise with the model's own first module. Texts of similar length share a call, which saves memory."""
        sequences: list[Any] = [None] * len(texts)
        order = np.argsort([-len(text) for text in texts], kind="stable")
        prompt_length = None
        for start in range(0, len(texts), _BLOCK):
            rows = order[start : start + _BLOCK]
            found = self.model.preprocess([texts[row] for row in rows], prompt=prompt or None, task=role)
            prompt_length = found.get("prompt_length")
            for row, sequence in zip(rows, _sequences(found), strict=True):
                sequences[row] = sequence
        return TokenisedTexts(sequences, prompt_length)

    def vectors(self, texts: TokenisedTexts, rows: Integers) -> Floats:
        """Return float32 [len(rows), dim], as `SentenceTransformer.encode` does without normalisation."""
        torch = need("torch", "models", "running a model")
        sequences = [texts.sequences[row] for row in rows]
        _, pooling, *_ = modules = list(self.model)
        first_only = pooling.pooling_mode == "cls" and (pooling.include_prompt or texts.prompt_length is None)
        lengths = [1] * len(rows) if first_only else [len(ids) for ids, _ in sequences]
        with torch.inference_mode():
            hidden = self.encoder(sequences, first_only=first_only)
            ends = torch.tensor([0, *np.cumsum(lengths)], device=hidden.device)
            features = {"token_embeddings": hidden[None], "cu_seq_lens_q": ends}
            if texts.prompt_length is not None:
                features["prompt_length"] = texts.prompt_length
            for module in modules[1:]:
                features = module(features)
            cut = self.model.truncate_dim
            vectors: Floats = features["sentence_embedding"][:, :cut].float().cpu().numpy()
        return vectors


def packed_sentences(model: Any) -> PackedSentences | None:
    """A packed form of a loaded `SentenceTransformer`, or None.

    It is used only if its vectors are those of `SentenceTransformer.encode` on a probe, to 1e-5 of their spread.
    """
    first, *after = list(model)
    names = [type(module).__name__ for module in after]
    if type(first).__name__ != "Transformer" or names[:1] != ["Pooling"] or not _AFTER.issuperset(names[1:]):
        return None
    encoder = packed_encoder(first.auto_model)
    if encoder is None:
        return None
    packed = PackedSentences(model, encoder)
    return packed if _agrees(packed) else None


def _sequences(found: Mapping[str, Any]) -> list[Sequenced]:
    ids, mask = found["input_ids"].numpy(), found["attention_mask"].numpy().astype(bool)
    types = found["token_type_ids"].numpy() if "token_type_ids" in found else np.zeros_like(ids)
    return [
        (row[real].astype(np.int32), kinds[real].astype(np.int32))
        for row, kinds, real in zip(ids, types, mask, strict=True)
    ]


def _agrees(packed: PackedSentences) -> bool:
    roles: tuple[Role, Role] = ("query", "document")
    texts, prompt = list(PROBE_TEXTS), "what: "
    for role in roles:
        try:
            if set(packed.model.preprocess(texts, prompt=prompt, task=role)) - _READ:
                return False
            made = packed.vectors(packed.tokenise(texts, prompt, role), np.arange(len(texts)))
        except (
            AttributeError,
            KeyError,
            RuntimeError,
            TypeError,
            ValueError,
        ):  # other releases name their parts otherwise
            return False
        expected = packed.model.encode(texts, prompt=prompt, task=role, show_progress_bar=False, convert_to_numpy=True)
        spread = max(1.0, float(np.ptp(expected)))
        if made.shape != expected.shape or not np.abs(made - expected).max() <= _TOLERANCE * spread:
            return False
    return True
