"""How an embedder's vectors are made from tokens and compared, by its folder and the options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from adapters.errors import ModelError
from adapters.kinds import Kind, kind_of
from adapters.models import ModelFolder
from adapters.other_weights import advice
from adapters.similarity import Similarity

Pooling = Literal["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
"""How the vectors of the tokens become one, by the names of sentence-transformers."""
_SETTINGS = "config_sentence_transformers.json"


@dataclass(frozen=True)
class VectorForm:
    """The form of an embedder's vectors.

    Args:
        similarity: how two vectors are compared; they are scaled to length 1 only for cosine.
        pooling: of the tokens, for a folder without modules.json; None if modules.json declares it.
        dimensions: how many numbers of a vector are kept, from the first; None for the number that the folder declares.
    """

    similarity: Similarity = "cosine"
    pooling: Pooling | None = None
    dimensions: int | None = None

    @property
    def identity(self) -> dict[str, object]:
        """The entries that differ from the defaults."""
        named = {"pooling": self.pooling, "dimensions": self.dimensions}
        other = {} if self.similarity == "cosine" else {"similarity": self.similarity}
        return {**other, **{name: value for name, value in named.items() if value is not None}}


def form_of(
    folder: ModelFolder,
    pooling: Pooling | None = None,
    similarity: Similarity | None = None,
    dimensions: int | None = None,
) -> VectorForm:
    """Choose the form of a folder's vectors. Options override what the folder declares.

    Inner products of vectors that the folder's last module normalises are cosines, unless they are cut afterwards.

    Raises:
        ModelError: the folder is not an embedder and no pooling is given; a pooling is given although the folder
            declares one; a similarity is unknown; `dimensions` is less than 1.
    """
    if dimensions is not None and dimensions < 1:
        raise ModelError(f"'{folder.name}': dimensions={dimensions} is less than 1; leave it out to keep all of them")
    if pooling is None:
        refuse_non_embedder(folder)
    else:
        _refuse_pooling(folder, pooling, similarity)
    found = similarity or declared_similarity(folder) or "cosine"
    cut = dimensions is not None or folder.sentence_settings.get("truncate_dim") is not None
    normalised = bool(folder.modules) and folder.modules[-1] == "Normalize" and not cut
    return VectorForm("cosine" if found == "dot" and normalised else found, pooling, dimensions)


def refuse_non_embedder(folder: ModelFolder) -> None:
    """Refuse a folder without a pooling module.

    Raises:
        ModelError: it is another kind of model; the message says which.
    """
    kind: Kind = kind_of(folder)
    if kind != "embedder":
        article = "an" if kind == "onnx" else "a"
        raise ModelError(
            f"{folder.name} is {article} {kind} model without a sentence-transformers pooling module, so it makes no "
            "embeddings; use it as --reranker, or name an embedder such as 'Qwen/Qwen3-Embedding-0.6B'"
        )


def _refuse_pooling(folder: ModelFolder, pooling: Pooling, similarity: Similarity | None) -> None:
    if folder.chain:
        raise ModelError(
            f"'{folder.name}' declares how its tokens become a vector (modules.json: {', '.join(folder.modules)}); "
            "leave pooling out, or change it there"
        )
    if not folder.config:
        raise ModelError(f"'{folder.name}' has no config.json; {advice(folder)}")
    if folder.architecture == "HF_ColBERT" or folder.architecture.endswith("ForSequenceClassification"):
        raise ModelError(
            f"'{folder.name}': its config names '{folder.architecture}', which was not trained to make one vector of a "
            "text; leave pooling out"
        )
    if similarity is None:
        raise ModelError(
            f"'{folder.name}': pooling={pooling} without a similarity, which its files do not say either; add "
            f"&similarity=cosine, or another one of {', '.join(get_args(Similarity))}, as its authors compare vectors"
        )


def declared_similarity(folder: ModelFolder) -> Similarity | None:
    """The similarity that a folder declares (`similarity_fn_name`); None if it declares none.

    Raises:
        ModelError: it declares an unknown similarity.
    """
    declared = folder.json(_SETTINGS).get("similarity_fn_name") or None
    if declared is not None and declared not in get_args(Similarity):
        raise ModelError(
            f"'{folder.name}': similarity_fn_name in {_SETTINGS} is '{declared}'; known are "
            f"{', '.join(get_args(Similarity))}"
        )
    return declared  # type: ignore[return-value]
