"""The scores of sentence-transformers itself for a model: an independent reference, in a process of its own.

Nothing of this package takes part in the scoring: the process gets a folder, texts and a prompt, and asks
`CrossEncoder.predict` or `SentenceTransformer.encode` and `similarity_pairwise`.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adapters.contents import Contents
from adapters.errors import HarnessError
from adapters.models import open_folder
from adapters.protocols import Floats, IndexPairs
from adapters.soundness import safetensors_header

_ROOM = 1_500_000_000
"""Bytes that the libraries need beside the weights."""
_BATCH = 16


@dataclass(frozen=True)
class ReferenceCall:
    """How sentence-transformers is asked for the scores of a model.

    Args:
        kind: its class.
        folder: of the model.
        max_length: tokens of an input; None for its own.
        prompts: before queries and documents; a cross-encoder takes the first for the pair. None for its own.
        label, labels: the label to rank by, and how many there are; with several, by the odds of its softmax.
        softmax: whether the labels compete.
        chat_template: in place of the folder's own.
        tokens: of a language model, where the folder does not declare them.
    """

    kind: Literal["CrossEncoder", "SentenceTransformer"]
    folder: str
    max_length: int | None
    prompts: tuple[str | None, str | None] = (None, None)
    label: int = 0
    labels: int = 1
    softmax: bool = False
    device: str | None = None
    pickle: bool = False
    chat_template: str | None = None
    tokens: tuple[int, ...] = ()


class NoReference(Exception):
    """There is no reference, and why."""


def reference_scores(
    call: ReferenceCall, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs
) -> Floats:
    """Raw scores in float32, [len(pairs)].

    Raises:
        NoReference: memory is short, or sentence-transformers cannot load or read the model; the message says which.
    """
    _refuse_short_memory(call)
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder) / "request.json", Path(folder) / "scores.npy"
        asked = {
            "call": asdict(call),
            "queries": [*queries],
            "documents": [*documents],
            "pairs": np.asarray(pairs).tolist(),
        }
        request.write_text(json.dumps(asked), "utf-8")
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(request), str(answer)],
            env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode or not answer.is_file():
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            raise NoReference(lines[-1][:300] if lines else f"the process ended with {done.returncode}")
        scores: Floats = np.load(answer, allow_pickle=False).astype(np.float32)
        return scores


def _refuse_short_memory(call: ReferenceCall) -> None:
    contents = Contents(open_folder(call.folder), call.pickle)
    try:
        needed = _ROOM + sum(_bytes(contents.folder.path / name) for name in contents.weights)
    except HarnessError as error:
        raise NoReference(str(error)) from error
    free = _available()
    if free is not None and needed > free:
        raise NoReference(f"it needs about {needed / 2**30:.1f} GiB of memory, and {free / 2**30:.1f} GiB are free")


def _bytes(file: Path) -> int:
    """Of the weights of a file in float32."""
    if file.suffix != ".safetensors":
        return 2 * file.stat().st_size
    return 4 * sum(math.prod(tensor.shape) for tensor in safetensors_header(file).values())


def _available() -> int | None:
    """Bytes of memory that are free; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text("utf-8").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else int(found) * 1024


def _environment() -> dict[str, str]:
    """This package can be imported there, wherever it lies; nothing is looked up on a hub."""
    here = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(part for part in (here, os.environ.get("PYTHONPATH", "")) if part)
    return {**os.environ, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def _answer(request: Path, answer: Path) -> None:
    """The work of the process."""
    asked = json.loads(request.read_text("utf-8"))
    call = ReferenceCall(**{**asked["call"], "prompts": tuple(asked["call"]["prompts"])})  # JSON has lists
    ask = _cross_encoder if call.kind == "CrossEncoder" else _embedder
    np.save(answer, ask(call, asked["queries"], asked["documents"], asked["pairs"]))


def _options(call: ReferenceCall) -> dict[str, Any]:
    import torch

    weights: dict[str, Any] = {"dtype": torch.float32, **({} if call.pickle else {"use_safetensors": True})}
    processor = {} if call.chat_template is None else {"processor_kwargs": {"chat_template": call.chat_template}}
    return {"model_kwargs": weights, **processor}


def _opened(call: ReferenceCall) -> Any:
    from sentence_transformers import CrossEncoder

    if not call.tokens:
        return CrossEncoder(call.folder, device=call.device, local_files_only=True, **_options(call))
    from sentence_transformers.base.modules.transformer import Transformer
    from sentence_transformers.cross_encoder.modules import LogitScore

    network = Transformer(call.folder, transformer_task="text-generation", **_options(call))
    return CrossEncoder(modules=[network, LogitScore(*call.tokens)], device=call.device)  # type: ignore[arg-type]


def _cross_encoder(call: ReferenceCall, queries: list[str], documents: list[str], pairs: list[list[int]]) -> Any:
    import torch

    model = _opened(call)
    if call.max_length is not None:
        model.max_seq_length = call.max_length
    texts = [(queries[query], documents[document]) for query, document in pairs]
    options: dict[str, Any] = {"batch_size": _BATCH, "show_progress_bar": False, "convert_to_tensor": True}
    scores: Any = model.predict(texts, prompt=call.prompts[0], activation_fn=torch.nn.Identity(), **options)
    logits = scores.double().cpu().reshape(len(texts), -1)
    if logits.shape[1] != call.labels:
        raise ValueError(f"sentence-transformers gives {logits.shape[1]} scores a pair, not {call.labels}")
    if not call.softmax:
        return logits[:, call.label].numpy()
    others = [label for label in range(call.labels) if label != call.label]
    return (logits[:, call.label] - torch.logsumexp(logits[:, others], dim=1)).numpy()


def _embedder(call: ReferenceCall, queries: list[str], documents: list[str], pairs: list[list[int]]) -> Any:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(call.folder, device=call.device, local_files_only=True, **_options(call))
    if call.max_length is not None:
        model.max_seq_length = call.max_length
    options: dict[str, Any] = {"batch_size": _BATCH, "convert_to_tensor": True, "show_progress_bar": False}
    asked, held = call.prompts
    left: Any = model.encode_query(queries, prompt=asked, **options)
    right: Any = model.encode_document(documents, prompt=held, **options)
    rows = np.asarray(pairs, np.int64).reshape(-1, 2)
    return model.similarity_pairwise(left[rows[:, 0]], right[rows[:, 1]]).double().cpu().numpy()


if __name__ == "__main__":
    _answer(Path(sys.argv[1]), Path(sys.argv[2]))
