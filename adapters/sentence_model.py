"""A sentence-transformers folder: what its files say before it is loaded, and the checks when it is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adapters.batching import pick_device
from adapters.errors import ModelError, need
from adapters.models import ModelFolder, kind_of, quiet_loading
from adapters.protocols import Floats, Integers, Role

Dtype = Literal["float32", "float16", "bfloat16"]

_PROMPT_NAMES: dict[Role, tuple[str, ...]] = {"query": ("query",), "document": ("document", "passage")}
_INSTRUCTED = re.compile(r"(Instruct: ).*(\nQuery: ?)", re.DOTALL)
_COUNTED_FROM_PADDING = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet")
_LOADING = (OSError, ValueError, RuntimeError, KeyError, ImportError, AttributeError)
_BLOCK = 1024


def read_prompts(folder: ModelFolder) -> dict[Role, str]:
    """The prompts that the folder declares for queries and documents; '' where it declares none."""
    declared = _read_json(folder.path / "config_sentence_transformers.json")
    prompts = declared.get("prompts") or {}
    default = prompts.get(declared.get("default_prompt_name"), "")
    return {
        role: next((str(prompts[name]) for name in names if name in prompts), str(default or ""))
        for role, names in _PROMPT_NAMES.items()
    }


def instructed(prompt: str, instruction: str) -> str:
    """`prompt` with another instruction if it has the form 'Instruct: ...\\nQuery:', else as it is."""
    return (
        _INSTRUCTED.sub(lambda form: f"{form[1]}{instruction}{form[2]}", prompt)
        if takes_instruction(prompt)
        else prompt
    )


def takes_instruction(prompt: str) -> bool:
    """Whether a prompt has the form of Qwen3-Embedding and E5-instruct: 'Instruct: ...\\nQuery:'."""
    return _INSTRUCTED.fullmatch(prompt) is not None


def read_max_length(folder: ModelFolder, wanted: int | None) -> int | None:
    """Tokens of a text, special tokens included: what is wanted, else what the folder's files say, else None.

    Raises:
        ModelError: more is wanted than the model has positions.
    """
    limit = _positions(folder)
    if wanted is not None:
        if wanted < 1 or (limit is not None and wanted > limit):
            raise ModelError(
                f"{folder.name}: max_length={wanted} is not between 1 and its {limit or 'unknown'} positions"
            )
        return wanted
    declared = _read_json(folder.path / "sentence_bert_config.json").get("max_seq_length")
    if isinstance(declared, int):
        return declared
    tokenizer = _read_json(folder.path / "tokenizer_config.json").get("model_max_length")
    known = [number for number in (tokenizer, limit) if isinstance(number, int) and number < 10**9]
    return min(known, default=None)


def _positions(folder: ModelFolder) -> int | None:
    nested = folder.config.get("text_config")
    config = {**(nested if isinstance(nested, dict) else {}), **folder.config}
    positions, padding = config.get("max_position_embeddings"), config.get("pad_token_id")
    if not isinstance(positions, int) or positions < 1:
        return None
    if config.get("model_type") in _COUNTED_FROM_PADDING and isinstance(padding, int):
        return positions - padding - 1
    return positions


def refuse_non_embedder(folder: ModelFolder) -> None:
    """Refuse a folder without a pooling module.

    Raises:
        ModelError: it is another kind of model, and the message says which.
    """
    kind = kind_of(folder)
    if kind != "embedder":
        article = "an" if kind == "onnx" else "a"
        raise ModelError(
            f"{folder.name} is {article} {kind} model without a sentence-transformers pooling module, so it makes no "
            "embeddings; use it as --reranker, or name an embedder such as 'Qwen/Qwen3-Embedding-0.6B'"
        )


@dataclass(frozen=True)
class SentenceModel:
    """A model that is loaded when it is first needed, and shared by all adapters that are bound to collections."""

    folder: ModelFolder
    max_length: int | None
    dtype: Dtype
    wanted_device: str | None

    @cached_property
    def content(self) -> dict[str, object]:
        """Digests of the folder's files."""
        return self.folder.identity()

    @cached_property
    def device(self) -> str:
        return pick_device(self.wanted_device)

    @cached_property
    def _model(self) -> Any:
        library = need("sentence_transformers", "models", f"the embedder '{self.folder.name}'")
        torch = need("torch", "models", f"the embedder '{self.folder.name}'")
        try:
            options = {"dtype": getattr(torch, self.dtype)}
            with quiet_loading():
                model = library.SentenceTransformer(
                    str(self.folder.path), device=self.device, model_kwargs=options, local_files_only=True
                )
        except _LOADING as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise ModelError(f"{self.folder.name}: sentence-transformers cannot load it: {reason}") from error
        if self.max_length is not None:
            model.max_seq_length = self.max_length
        _refuse_missing_end(self.folder, model)
        return model.eval()

    def lengths(self, texts: Sequence[str], prompt: str) -> Integers:
        """Tokens of each text with its prompt, after truncation."""
        tokenizer = self._model.tokenizer
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
        """One model call. Float32 [n, dim] of length 1; a zero vector stays zero.

        Raises:
            ModelError: a vector is not finite.
        """
        made = self._model.encode(
            list(texts),
            prompt=prompt,
            task=role,
            batch_size=len(texts),
            normalize_embeddings=True,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        vectors: Floats = np.array(made, dtype=np.float32)
        if not np.isfinite(vectors).all():
            raise ModelError(
                f"{self.folder.name} makes vectors that are not finite; check its weights, or use dtype=float32"
            )
        # half precision leaves lengths that are off by a thousandth
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
        return vectors

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self._model.get_embedding_dimension())


def _refuse_missing_end(folder: ModelFolder, model: Any) -> None:
    modes = [getattr(module, "pooling_mode", "") for module in model]
    if not any("lasttoken" in ((mode,) if isinstance(mode, str) else mode) for mode in modes):
        return
    plain = model.tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = model.tokenizer("a")["input_ids"]
    if len(whole) <= len(plain) or whole[-1] == plain[-1]:
        raise ModelError(
            f"{folder.name} takes the vector of the last token, but its tokenizer appends no special end token (Qwen3: "
            "<|endoftext|>) to a text; use the tokenizer files of the original model"
        )


def _read_json(file: Path) -> dict[str, Any]:
    return dict(json.loads(file.read_text("utf-8"))) if file.exists() else {}
