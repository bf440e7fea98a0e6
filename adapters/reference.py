"""The scores of sentence-transformers for a model: an independent reference, computed in a separate process.

No code of this package takes part in the scoring: the process (`reference_process.py`) gets a folder, texts and a
prompt, and calls `CrossEncoder.predict` or `SentenceTransformer.encode_query`, `encode_document` and
`similarity_pairwise`. Texts go through a pipe, never into a file, and the process ends with its parent.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adapters.batching import named_device
from adapters.contents import Contents
from adapters.errors import HarnessError
from adapters.models import open_folder
from adapters.protocols import Floats, IndexPairs
from adapters.soundness import safetensors_header
from adapters.working_folder import paths_of_libraries

_PROCESS = Path(__file__).with_name("reference_process.py")
_SECONDS, _SECONDS_A_PAIR = 600, 10
"""Time limits: for loading the libraries and the model, and for a pair of a large model on a CPU."""
_ROOM = 1_500_000_000
"""Bytes that the libraries need in addition to the weights."""


@dataclass(frozen=True)
class ReferenceCall:
    """A call of sentence-transformers that gives the scores of a model.

    Args:
        kind: the class of sentence-transformers.
        folder: of the model.
        max_length: tokens of an input; None for the model's own.
        prompts: before queries and documents; a cross-encoder uses the first for the pair. None for the model's own.
        own_prompts: the prompts of an embedder's second call, which uses its defaults: None for a prompt that the
            folder declares, else the text that the user gave.
        label, labels: the label to rank by, and the number of labels; with several, by the odds of its softmax.
        softmax: whether the labels compete.
        chat_template: replaces the folder's.
        tokens: the compared tokens of a language model, if the folder does not declare them.
        pooling: of an embedder that was saved without modules.json.
        similarity: of an embedder, if the folder does not declare it.
        ends: arguments of an embedder's tokenizer that append an end token.
        dimensions: the length to which an embedder's vectors are cut; None for the length that the folder declares.
        whole: whether only uncut inputs can be compared, because longer ones are cut in another way.
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
    own_prompts: tuple[str | None, str | None] = (None, None)
    whole: bool = False
    pooling: str | None = None
    similarity: str | None = None
    dimensions: int | None = None
    ends: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Reference:
    """The answer of sentence-transformers.

    Args:
        scores: raw, float32 [pairs].
        own: the scores with the default prompts of sentence-transformers; None if the prompts are the same.
        own_prompts: these default prompts, before queries and documents.
    """

    scores: Floats
    own: Floats | None = None
    own_prompts: tuple[str, str] = ("", "")


class NoReference(Exception):
    """There is no reference; the message says why."""


def reference_scores(
    call: ReferenceCall, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs
) -> Reference:
    """Compute the scores with sentence-transformers.

    Raises:
        NoReference: memory is short, the process cannot be started or takes too long, or sentence-transformers cannot
            load or read the model; the message says which.
    """
    _refuse_short_memory(call)
    asked = {
        "call": {**asdict(call), "device": named_device(call.device)},
        "queries": [*queries],
        "documents": [*documents],
        "pairs": np.asarray(pairs).reshape(-1, 2).tolist(),
        "path": paths_of_libraries(),
    }
    try:
        found = json.loads(_answered(json.dumps(asked).encode() + b"\n", _SECONDS + _SECONDS_A_PAIR * len(pairs)))
    except OSError as error:
        raise NoReference(f"its process cannot be started: {error}") from error
    if "error" in found:
        raise NoReference(found["error"][:300])
    own = _scores(found["own"]) if "own" in found else None
    return Reference(_scores(found["scores"]), own, tuple(found.get("own_prompts", ("", ""))))


def _scores(listed: list[float]) -> Floats:
    scores: Floats = np.asarray(listed, np.float64).astype(np.float32)
    if not np.isfinite(scores).all():
        raise NoReference("the scores of sentence-transformers are not finite")
    return scores


def _answered(request: bytes, limit: float) -> bytes:
    """Run the process and return its answer. The process ends before this call does."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, "-P", str(_PROCESS)],
            env=_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        ) as process,
    ):  # fmt: skip
        assert process.stdin is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limit, end)
        timer.daemon = True
        timer.start()
        try:
            answer = _exchanged(process, request)
            process.wait()
        finally:
            timer.cancel()
            process.kill()
            with contextlib.suppress(BrokenPipeError):  # it did not read everything
                process.stdin.close()
        if late.is_set():
            raise NoReference(f"it took longer than {limit / 60:.0f} minutes")
        if process.returncode or not answer:
            raise NoReference(_why(process.returncode, errors))
        return answer


def _exchanged(process: subprocess.Popen[bytes], request: bytes) -> bytes:
    """Send the request and read the answer. The input stays open, because the process ends with its input."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(request)
        process.stdin.flush()
    except BrokenPipeError:  # it ended before it read everything, and says why
        return b""
    return process.stdout.read()


def _why(code: int, errors: Any) -> str:
    """Why the process ended without an answer."""
    if code < 0:
        return f"its process was ended by {signal.Signals(-code).name}"
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return f"its process failed: {lines[-1][:300]}" if lines else f"its process ended with {code}"


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
    """Bytes of a file's weights in float32."""
    if file.suffix != ".safetensors":
        return 2 * file.stat().st_size
    return 4 * sum(math.prod(tensor.shape) for tensor in safetensors_header(file).values())


def _available() -> int | None:
    """Bytes of free memory; None if the system does not report them."""
    try:
        lines = Path("/proc/meminfo").read_text("utf-8").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else int(found) * 1024


def _environment() -> dict[str, str]:
    """Environment variables that keep the process off the hub."""
    return {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
