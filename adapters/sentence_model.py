"""A sentence-transformers folder: the settings in its files, and the checks when it is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_args

import numpy as np

from adapters.batching import CallBudget, calls_within, one_at_a_time, pick_device, torch_calls
from adapters.budgets import ForwardPath, calls_of, measuring
from adapters.contents import Contents
from adapters.end_token import refuse_missing_end
from adapters.errors import EnvironmentFailure, ModelError, is_out_of_memory
from adapters.lengths import length_of
from adapters.loading import engine_of, load_sentence_model
from adapters.models import TRANSFORMERS, ModelFolder
from adapters.packed_sentences import PackedSentences, packed_sentences
from adapters.padding import PROBE_TEXTS, batching_of, pads_without_effect
from adapters.precision import Dtype, head_identity
from adapters.protocols import Floats, Integers, Role
from adapters.routes import is_routed
from adapters.vector_form import VectorForm

_PROMPT_NAMES: dict[Role, tuple[str, ...]] = {"query": ("query",), "document": ("document", "passage", "corpus")}
_INSTRUCTED = re.compile(r"(Instruct: |<instruct>).*(\nQuery: ?|\n<query>)", re.DOTALL)
_BLOCK = 1024


def read_prompts(folder: ModelFolder) -> dict[Role, str]:
    """The prompts that the folder declares for queries and documents; '' if it declares none.

    A prompt with the name of a role is only for that role, as in `encode_query` and `encode_document` of
    sentence-transformers. A default prompt is used for both roles if no prompt has the name of a role.
    """
    declared = folder.json("config_sentence_transformers.json")
    listed = declared.get("prompts")
    prompts = {str(name): str(text or "") for name, text in listed.items()} if isinstance(listed, Mapping) else {}
    named = {
        role: next((prompts[name] for name in names if name in prompts), None) for role, names in _PROMPT_NAMES.items()
    }
    default = "" if any(named.values()) else prompts.get(str(declared.get("default_prompt_name")), "")
    return {role: default if text is None else text for role, text in named.items()}


def instructed(prompt: str, instruction: str) -> str:
    """`prompt` with another instruction if it has the form 'Instruct: ...\\nQuery:', else unchanged."""
    return (
        _INSTRUCTED.sub(lambda form: f"{form[1]}{instruction}{form[2]}", prompt)
        if takes_instruction(prompt)
        else prompt
    )


def instruction_in(prompt: str) -> str | None:
    """The instruction of a prompt of the form 'Instruct: ...\\nQuery:'; None for other forms."""
    form = _INSTRUCTED.fullmatch(prompt)
    return None if form is None else form[0][len(form[1]) : -len(form[2])]


def takes_instruction(prompt: str) -> bool:
    """Whether a prompt has the form of Qwen3-Embedding and E5-instruct, 'Instruct: ...\\nQuery:', or that of
    bge-multilingual-gemma2, '<instruct>...\\n<query>'."""
    return _INSTRUCTED.fullmatch(prompt) is not None


def read_max_length(folder: ModelFolder, wanted: int | None) -> int | None:
    """Tokens of a text, special tokens included; None if there is no limit.

    Raises:
        ModelError: `wanted` is more than the model has positions, or the model's length cannot be set.
    """
    first = folder.modules[0] if folder.chain else TRANSFORMERS[0]
    if first not in TRANSFORMERS:
        if wanted is not None:
            raise ModelError(f"'{folder.name}' has no maximum length that can be set ({first}); leave max_length out")
        return None
    return length_of(folder, wanted)


@dataclass(frozen=True)
class SentenceModel:
    """A model that is loaded when it is first needed, and shared by the adapters of all collections."""

    folder: ModelFolder
    max_length: int | None
    dtype: Dtype
    wanted_device: str | None
    form: VectorForm = field(default_factory=VectorForm)
    pickle: bool = False

    @cached_property
    def content(self) -> dict[str, object]:
        """Digests of the folder's files, and the form of its vectors."""
        files = Contents(self.folder, self.pickle).identity()
        return {**files, **engine_of(self.folder), **batching_of(self.folder), **self.form.identity}

    @cached_property
    def device(self) -> str:
        return pick_device(self.wanted_device)

    @cached_property
    def _model(self) -> Any:
        model = load_sentence_model(
            self.folder, "SentenceTransformer", self.dtype, self.device, pickle=self.pickle, pooling=self.form.pooling
        )
        if self.max_length is not None:
            model.max_seq_length = self.max_length
        refuse_missing_end(self.folder, model)
        self._cut(model)
        # Calls run side by side, and two threads must not use a tokenizer at the same time.
        model.preprocess = one_at_a_time(model.preprocess)
        return model

    def _cut(self, model: Any) -> None:
        wanted = self.form.dimensions
        if wanted is None:
            return
        model.truncate_dim = None
        whole = model.get_embedding_dimension()
        if wanted > whole:
            raise ModelError(f"'{self.folder.name}': dimensions={wanted}, and its vectors have {whole} numbers")
        model.truncate_dim = wanted

    @cached_property
    def _packed(self) -> PackedSentences | None:
        return packed_sentences(self._model)

    def batches(
        self, texts: Sequence[str], prompt: str, role: Role, budget: int | None
    ) -> Iterator[tuple[Integers, Floats]]:
        """Yield (rows, vectors), the longest texts first; see `encode` for the vectors.

        Args:
            budget: padded tokens per model call; default: the budget of the device.
        """
        packed = self._packed
        tokenised = None if packed is None else packed.tokenise(texts, prompt, role)
        lengths = self.lengths(texts, prompt, role) if tokenised is None else tokenised.lengths

        def by(path: ForwardPath) -> Callable[[Integers], Floats]:
            def made(rows: Integers) -> Floats:
                asked = [texts[row] for row in rows]
                if not lengths[rows].all():  # a batch of texts without tokens has nothing that the encoder can read
                    return self.encode([*asked, PROBE_TEXTS[0]], prompt, role)[:-1]
                if path == "packed" and packed is not None and tokenised is not None:
                    return self._finished(packed.vectors(tokenised, rows), asked, prompt, role)
                return self.encode(asked, prompt, role)

            return made

        paths: tuple[ForwardPath, ...] = ("plain",) if packed is None else ("packed", "plain")
        path, limit = calls_of(
            {**self.content, "max_length": self.max_length, "dtype": self.dtype, **head_identity(self.dtype)},
            self.device, paths, asked=budget,
            name=f"'{self.folder.name}'", measured=measuring(lengths, by(paths[0]), self.device),
        )  # fmt: skip
        limit = limit if path == "packed" or self.pads else CallBudget(0)
        yield from calls_within(lengths, self._fitting(by(path), lengths), budget=limit, calls=torch_calls(self.device))

    def _fitting(self, encode: Callable[[Integers], Floats], lengths: Integers) -> Callable[[Integers], Floats]:
        """The same function. Where memory is too small for one text, its error names the text's length."""

        def encoded(rows: Integers) -> Floats:
            try:
                return encode(rows)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                raise EnvironmentFailure(
                    f"'{self.folder.name}': memory is too small for a text of {lengths[rows].max():,} tokens; lower "
                    "max_length, or use another device"
                ) from error

        return encoded

    def lengths(self, texts: Sequence[str], prompt: str, role: Role) -> Integers:
        """Tokens of each text with its prompt, after truncation."""
        tokenizer = _tokenizer(self._model, role)
        counted: list[int] = []
        for start in range(0, len(texts), _BLOCK):
            block = [prompt + text for text in texts[start : start + _BLOCK]]
            if hasattr(tokenizer, "encode_batch"):
                counted += [len(encoded.ids) for encoded in tokenizer.encode_batch(block)]
            else:
                cut = {"truncation": True, "max_length": self.max_length} if self.max_length else {}
                counted += map(len, tokenizer(block, return_attention_mask=False, **cut)["input_ids"])
        return np.array(counted, dtype=np.int64)

    def encode(self, texts: Sequence[str], prompt: str, role: Role) -> Floats:
        """Encode texts in one model call.

        Returns:
            Vectors, float32 [n, dim], of length 1 if they are compared by cosine; a zero vector stays zero.

        Raises:
            ModelError: a vector is not finite.
        """
        made = self._model.encode(
            list(texts),
            prompt=prompt,
            task=role,
            batch_size=len(texts),
            normalize_embeddings=self.form.similarity == "cosine",
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return self._finished(np.array(made, dtype=np.float32), texts, prompt, role)

    def _finished(self, vectors: Floats, texts: Sequence[str], prompt: str, role: Role) -> Floats:
        if not np.isfinite(vectors).all():
            broken = [texts[row] for row in np.flatnonzero(~np.isfinite(vectors).all(axis=1)).tolist()]
            if not self.lengths(broken, prompt, role).any():
                raise ModelError(
                    f"{self.folder.name} makes no finite vector for the text '{broken[0][:40]}', in which its "
                    "tokenizer finds no tokens; leave empty texts out of the collection"
                )
            raise ModelError(
                f"{self.folder.name} makes vectors that are not finite; check its weights, or use dtype=float32"
            )
        if self.form.similarity == "cosine":  # half precision leaves lengths that are off by a thousandth
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
        return vectors

    @cached_property
    def pads(self) -> bool:
        """Whether texts of different lengths can share a call."""

        def ask(rows: list[int]) -> Floats:
            texts = [PROBE_TEXTS[row] for row in rows]
            return np.concatenate([self.encode(texts, "", role) for role in roles], axis=1)

        roles = get_args(Role) if is_routed(self.folder) else ("document",)
        return pads_without_effect(ask, self.dtype)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self._model.get_embedding_dimension())


def _routes(model: Any) -> Mapping[str, Any]:
    """The modules of each route if the first module is a router, else empty."""
    return getattr(model[0], "sub_modules", {})


def _tokenizer(model: Any, role: Role) -> Any:
    routes = _routes(model)
    return routes[role][0].tokenizer if role in routes else model.tokenizer
