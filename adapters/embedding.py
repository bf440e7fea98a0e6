"""Embedders, which turn texts into vectors, and embedders used as rerankers."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Self, cast

import numpy as np

from adapters.batching import UNKNOWN_INPUT, collect
from adapters.embedder_family import load_family
from adapters.embedder_prompts import refuse_bare_member, remarks_on
from adapters.end_token import end_options
from adapters.filling import filled
from adapters.identity import digest, text_digests
from adapters.kinds import Code, refuse_own_code
from adapters.models import open_folder
from adapters.precision import Dtype, head_identity
from adapters.protocols import Embedder, Floats, Identity, IndexPairs, Integers, Role, Scored, Setting
from adapters.reference import NoReference, ReferenceCall
from adapters.sentence_model import (
    SentenceModel,
    instructed,
    read_max_length,
    read_prompts,
)
from adapters.similarity import Similarity, of_rows
from adapters.soundness import refuse_unsound
from adapters.vector_form import Pooling, declared_similarity, form_of
from adapters.vectors import VectorStore

_ADAPTER = {"adapter": "sentence-transformers", "version": 1}
_CHUNK = 1000


class SentenceEmbedder:
    """A sentence-transformers folder as an embedder. The model is loaded when the first text is encoded.

    Vectors are compared by the similarity that the folder declares, or cosine if it declares none. They are scaled to
    length 1 only for cosine, after they are cut to `dimensions`.

    A query prompt of the form 'Instruct: ...\\nQuery:' (Qwen3-Embedding, https://arxiv.org/abs/2506.05176) or
    '<instruct>...\\n<query>' takes the instruction of the collection that the embedder is bound to; `query_prompt` is
    used unchanged.

    Args:
        model: path or hub name.
        max_length: tokens of a text with its prompt and special tokens; default: the length that the folder declares.
        batch_tokens: padded tokens per model call; does not change vectors beyond rounding.
        query_prompt: put before every query, instead of the prompt that the folder declares.
        document_prompt: put before every document, instead of the prompt that the folder declares.
        code: "stock" uses the class of transformers although the folder names a custom class.
        pickle: read pickled weights if there are no safetensors.
        pooling: how tokens become a vector, for a folder that transformers saved without modules.json.
        similarity: how vectors are compared, instead of the similarity that the folder declares; required with
            `pooling`.
        dimensions: keep only the first numbers of a vector (Matryoshka); default: the number that the folder declares.
        family: the name of a packaged family, or a TOML file. Its prompts replace those of the folder; its pooling and
            similarity are used if the folder declares none.

    Raises:
        ModelError: the model is not an embedder, or has fewer positions than `max_length`.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        max_length: int | None = None,
        device: str | None = None,
        dtype: Dtype = "float32",
        batch_tokens: int | None = None,
        query_prompt: str | None = None,
        document_prompt: str | None = None,
        code: Code | None = None,
        pickle: bool = False,
        pooling: Pooling | None = None,
        similarity: Similarity | None = None,
        dimensions: int | None = None,
        family: str | None = None,
    ) -> None:
        folder = open_folder(model, revision)
        asked = None if family is None else load_family(family)
        if asked is not None:
            pooling = pooling or (None if folder.chain else asked.pooling)
            similarity = similarity or declared_similarity(folder) or asked.similarity
        elif pooling is None:
            refuse_bare_member(folder)
        form = form_of(folder, pooling, similarity, dimensions)
        refuse_own_code(folder, code)
        self._asked_length, self._asked_similarity = max_length, similarity
        length = read_max_length(folder, max_length)
        self._model = SentenceModel(folder, length, dtype, device, form, pickle)
        self._batch_tokens = batch_tokens
        self._given: dict[Role, str | None] = {"query": query_prompt, "document": document_prompt}
        known = read_prompts(folder) if asked is None else asked.prompts
        self._family = asked
        self._prompts = {role: known[role] if given is None else given for role, given in self._given.items()}

    @property
    def name(self) -> str:
        return self._model.folder.name

    @property
    def similarity(self) -> Similarity:
        """How its vectors are compared."""
        return self._model.form.similarity

    def check(self) -> None:
        """Refuse files that cannot be loaded, before any expensive work starts.

        Raises:
            ModelError: a file cannot be loaded; the message names the file and what to do.
        """
        refuse_unsound(self._model.folder, pickle=self._model.pickle)

    def reference(self) -> ReferenceCall:
        """The call that gets the same scores from sentence-transformers."""
        model = self._model
        declared = model.folder.json("config_sentence_transformers.json").get("prompts")
        known = declared if isinstance(declared, Mapping) else {}
        # a prompt under the name of the role is found by sentence-transformers itself
        query, document = (None if known.get(role) == text else text for role, text in self._prompts.items())
        found = read_prompts(model.folder)
        left, right = (
            None if self._given[role] is None and found[role] == text else text for role, text in self._prompts.items()
        )
        return ReferenceCall(
            "SentenceTransformer", str(model.folder.path), self._asked_length, (query, document),
            device=model.wanted_device, pickle=model.pickle, own_prompts=(left, right),
            pooling=model.form.pooling, similarity=self._asked_similarity, dimensions=model.form.dimensions,
            ends=end_options(model.folder, model.form.pooling),
        )  # fmt: skip

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the folder does not declare although its files show how its authors use the model; empty if a family is
        named."""
        if self._family is not None:
            return ()
        folder, form = self._model.folder, self._model.form
        compared = bool(self._asked_similarity or declared_similarity(folder))
        return remarks_on(folder, self._prompts, self._given, form, compared=compared)

    @property
    def prompts(self) -> Mapping[Role, str]:
        """The prompt before the texts of each role."""
        return self._prompts

    @property
    def identity(self) -> Identity:
        return {**self._content, "prompts": dict(self._prompts)}

    def role_identity(self, role: Role) -> Identity:
        """Everything that can change the vectors of one role. Another query instruction keeps the document vectors."""
        return {**self._content, "prompt": self._prompts[role], "role": role}

    def bind(self, setting: Setting) -> SentenceEmbedder:
        """The same model with the collection's instruction, if the query prompt has a field for it."""
        bound = copy.copy(self)
        if setting.instruction is not None and self._given["query"] is None:
            bound._prompts = {**self._prompts, "query": instructed(self._prompts["query"], setting.instruction)}
        return bound

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        """Return float32 [len(texts), dim] in the order of the texts.

        Raises:
            ModelError: the model cannot be loaded, or a vector is not finite.
        """
        vectors: Floats | None = None
        for rows, made in self.batches(texts, role):
            vectors = np.empty((len(texts), made.shape[1]), np.float32) if vectors is None else vectors
            vectors[rows] = made
        return np.empty((0, self._model.dimension), np.float32) if vectors is None else vectors

    def batches(self, texts: Sequence[str], role: Role) -> Iterator[tuple[Integers, Floats]]:
        """Yield (rows, vectors) batch by batch, the longest texts first."""
        if len(texts):
            yield from self._model.batches(texts, self._prompts[role], role, self._batch_tokens)

    @property
    def _content(self) -> dict[str, object]:
        model = self._model
        precision = {"dtype": model.dtype, **head_identity(model.dtype)}
        return {**_ADAPTER, **model.content, "max_length": model.max_length, **precision}


class EmbedderPart:
    """The options, the name and the vectors that a first stage and a reranker based on an embedder share."""

    in_process: ClassVar[bool] = True
    """Pairs share the vectors of their texts, so texts are spread over processes, not pairs."""

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        max_length: int | None = None,
        device: str | None = None,
        dtype: Dtype = "float32",
        batch_tokens: int | None = None,
        query_prompt: str | None = None,
        document_prompt: str | None = None,
        code: Code | None = None,
        pickle: bool = False,
        pooling: Pooling | None = None,
        similarity: Similarity | None = None,
        dimensions: int | None = None,
        family: str | None = None,
    ) -> None:
        embedder = SentenceEmbedder(
            model,
            revision=revision,
            max_length=max_length,
            device=device,
            dtype=dtype,
            batch_tokens=batch_tokens,
            query_prompt=query_prompt,
            document_prompt=document_prompt,
            code=code,
            pickle=pickle,
            pooling=pooling,
            similarity=similarity,
            dimensions=dimensions,
            family=family,
        )
        self._take(embedder, None)

    @classmethod
    def of(cls, embedder: Embedder) -> Self:
        """The same part for any embedder."""
        part = cls.__new__(cls)
        part._take(embedder, None)
        return part

    @property
    def name(self) -> str:
        return self.embedder.name

    @property
    def similarity(self) -> Similarity:
        """How vectors are compared; cosine if the embedder does not declare it."""
        return cast(Similarity, getattr(self.embedder, "similarity", "cosine"))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the embedder's folder does not declare, for readers of the scores."""
        return tuple(getattr(self.embedder, "remarks", ()))

    def check(self) -> None:
        """Refuse a model that cannot be loaded, if the embedder can check it."""
        if hasattr(self.embedder, "check"):
            self.embedder.check()

    def reference(self) -> ReferenceCall:
        """The call that gets the same scores from sentence-transformers.

        Raises:
            NoReference: the embedder is not a sentence-transformers model.
        """
        if not hasattr(self.embedder, "reference"):
            raise NoReference("it is no model of sentence-transformers")
        return cast(ReferenceCall, self.embedder.reference())

    def bind(self, setting: Setting) -> Self:
        """The same part for a collection, with its instruction, and with vectors kept in its cache folder."""
        embedder = self.embedder.bind(setting) if hasattr(self.embedder, "bind") else self.embedder
        part = copy.copy(self)
        part._take(embedder, setting)
        return part

    def calling(self, embedder: Embedder) -> Self:
        """The same part, with its stores, that gets the same vectors from another object."""
        part = copy.copy(self)
        part.embedder = embedder
        return part

    def store(self, role: Role) -> VectorStore:
        """The store of one role's vectors: in the cache folder if there is one, else in memory."""
        if role not in self._stores:
            identity = digest(_role_identity(self.embedder, role))
            cache = self._setting.cache if self._setting is not None else None
            self._stores[role] = VectorStore(cache / "embeddings" if cache else None, identity)
        return self._stores[role]

    def _take(self, embedder: Embedder, setting: Setting | None) -> None:
        self.embedder = embedder
        self._setting = setting
        self._stores: dict[Role, VectorStore] = {}


class EmbedderReranker(EmbedderPart):
    """An embedder as a reranker: the score of a pair is the similarity of its vectors."""

    @property
    def identity(self) -> Identity:
        return {"adapter": "embedder-reranker", "embedder": dict(self.embedder.identity), "metric": "cosine"}

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        """Return float32 [len(pairs)]."""
        return collect(self.stream(queries, documents, pairs), len(pairs))

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Yield whole queries in order of first appearance, about a thousand pairs at a time. Each text is embedded
        once."""
        pairs = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        for rows in _by_query(pairs):
            chunk = pairs[rows]
            left, left_of = self._vectors(queries, chunk[:, 0], "query")
            right, right_of = self._vectors(documents, chunk[:, 1], "document")
            yield _unmeasured(rows, self._compared(left, left_of, right, right_of))

    def _compared(self, left: Floats, left_of: Integers, right: Floats, right_of: Integers) -> Floats:
        scores = np.empty(len(left_of), dtype=np.float32)
        for start in range(0, len(scores), _CHUNK):
            rows = slice(start, start + _CHUNK)
            scores[rows] = of_rows(self.similarity, left[left_of[rows]], right[right_of[rows]])
        return scores

    def _vectors(self, texts: Sequence[str], indices: Integers, role: Role) -> tuple[Floats, Integers]:
        wanted, place = np.unique(indices, return_inverse=True)
        chosen = [texts[int(index)] for index in wanted]
        digests = text_digests(chosen)
        return filled(self.store(role), self.embedder, chosen, digests, role), place


def _by_query(pairs: IndexPairs) -> Iterator[Integers]:
    """Rows of whole queries in order of first appearance, in groups of about a thousand."""
    _, firsts, group = np.unique(pairs[:, 0], return_index=True, return_inverse=True)
    order = np.argsort(firsts[group], kind="stable")
    ends = np.flatnonzero(np.diff(firsts[group][order], append=-1)) + 1
    start = 0
    for end in ends:
        if end - start >= _CHUNK or end == len(order):
            yield order[start:end]
            start = int(end)


def _unmeasured(rows: Integers, scores: Floats) -> Scored:
    unknown = np.full(len(rows), -1, dtype=np.int32)
    return Scored(rows, scores, unknown, unknown, np.full(len(rows), UNKNOWN_INPUT, dtype=np.uint64))


def _role_identity(embedder: Embedder, role: Role) -> Identity:
    if hasattr(embedder, "role_identity"):
        return cast(Identity, embedder.role_identity(role))
    return {**embedder.identity, "role": role}
