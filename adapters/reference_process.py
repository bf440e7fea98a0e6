"""The process that calls sentence-transformers: `python -P reference_process.py`, with a request on standard input.

It imports nothing from this package, so that no code of it takes part in the scoring, and no folder of the working
directory is imported instead. The request is one line of JSON, and so is the answer on standard output. The parent
keeps the input open; when it ends, so does the process.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from typing import Any

_BATCH = 16
_PR_SET_PDEATHSIG = 1
_OWN_NAMES = {"query": ("query",), "document": ("document", "passage", "corpus")}


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """The scores of a request: `scores`, and for an embedder with other default prompts, `own` and `own_prompts`."""
    known = set(sys.path)
    sys.path += [place for place in asked["path"] if place and place not in known]  # last: only what is not found
    ask = _cross_encoder if asked["call"]["kind"] == "CrossEncoder" else _embedder
    return ask(asked["call"], asked["queries"], asked["documents"], asked["pairs"])


def _options(call: dict[str, Any]) -> dict[str, Any]:
    import torch

    weights: dict[str, Any] = {"dtype": torch.float32, **({} if call["pickle"] else {"use_safetensors": True})}
    template = call["chat_template"]
    processor = {**call.get("ends", {}), **({} if template is None else {"chat_template": template})}
    return {"model_kwargs": weights, **({"processor_kwargs": processor} if processor else {})}


def _opened(call: dict[str, Any]) -> Any:
    from sentence_transformers import CrossEncoder

    if not call["tokens"]:
        return CrossEncoder(call["folder"], device=call["device"], local_files_only=True, **_options(call))
    from sentence_transformers.base.modules.transformer import Transformer
    from sentence_transformers.cross_encoder.modules import LogitScore

    network = Transformer(call["folder"], transformer_task="text-generation", **_options(call))
    return CrossEncoder(modules=[network, LogitScore(*call["tokens"])], device=call["device"])


def _cross_encoder(
    call: dict[str, Any], queries: list[str], documents: list[str], pairs: list[list[int]]
) -> dict[str, Any]:
    import torch

    model = _opened(call)
    if call["max_length"] is not None:
        model.max_seq_length = call["max_length"]
    texts = [(queries[query], documents[document]) for query, document in pairs]
    options: dict[str, Any] = {"batch_size": _BATCH, "show_progress_bar": False, "convert_to_tensor": True}
    scores: Any = model.predict(texts, prompt=call["prompts"][0], activation_fn=torch.nn.Identity(), **options)
    logits = scores.double().cpu().reshape(len(texts), -1)
    if logits.shape[1] != call["labels"]:
        raise ValueError(f"sentence-transformers gives {logits.shape[1]} scores a pair, not {call['labels']}")
    label = call["label"]
    if not call["softmax"]:
        return {"scores": logits[:, label].tolist()}
    others = [other for other in range(call["labels"]) if other != label]
    return {"scores": (logits[:, label] - torch.logsumexp(logits[:, others], dim=1)).tolist()}


def _opened_embedder(call: dict[str, Any]) -> Any:
    from sentence_transformers import SentenceTransformer

    how = {"device": call["device"], "similarity_fn_name": call["similarity"], "truncate_dim": call["dimensions"]}
    if call["pooling"] is None:
        return SentenceTransformer(call["folder"], local_files_only=True, **how, **_options(call))
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

    text = {"text": {"method": "forward", "method_output_name": "last_hidden_state"}}
    reads = {"modality_config": text, "module_output_name": "token_embeddings"}
    network = Transformer(call["folder"], **reads, **_options(call))
    return SentenceTransformer(modules=[network, Pooling(network.get_embedding_dimension(), call["pooling"])], **how)


def _embedder(call: dict[str, Any], queries: list[str], documents: list[str], pairs: list[list[int]]) -> dict[str, Any]:
    model = _opened_embedder(call)
    if call["max_length"] is not None:
        model.max_seq_length = call["max_length"]
    options: dict[str, Any] = {"batch_size": _BATCH, "convert_to_tensor": True, "show_progress_bar": False}

    def scores(prompts: list[str | None]) -> list[float]:
        left: Any = model.encode_query(queries, prompt=prompts[0], **options)
        right: Any = model.encode_document(documents, prompt=prompts[1], **options)
        similarity: Any = model.similarity_pairwise(left[[one for one, _ in pairs]], right[[one for _, one in pairs]])
        return [float(one) for one in similarity.double().cpu()]

    found: dict[str, Any] = {"scores": scores(call["prompts"])}
    given, own = (_in_force(model, call[name]) for name in ("prompts", "own_prompts"))
    if given != own:
        found |= {"own": scores(call["own_prompts"]), "own_prompts": own}
    return found


def _in_force(model: Any, prompts: list[str | None]) -> list[str]:
    """The prompts before queries and documents; None in `prompts` means the default prompt."""
    default = model.prompts.get(model.default_prompt_name)
    found = []
    for given, names in zip(prompts, _OWN_NAMES.values(), strict=True):
        named = next((model.prompts[name] for name in names if name in model.prompts), default)
        found.append((named if given is None else given) or "")
    return found


def _request(pipe: int) -> bytes:
    """Read one line, without its end.

    Raises:
        EOFError: the parent is gone.
    """
    parts: list[bytes] = []
    while not parts or not parts[-1].endswith(b"\n"):
        part = os.read(pipe, 1 << 20)
        if not part:
            raise EOFError("the request is not whole")
        parts.append(part)
    return b"".join(parts)


def _end_with(pipe: int) -> None:
    """End the process when the other side of the pipe is closed, for instance because the parent was killed."""
    with contextlib.suppress(OSError):
        while os.read(pipe, 1):
            pass
    os._exit(1)


def main() -> None:
    """Run the process. Standard input and output carry only the request and the answer; libraries get others."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    pipe, out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    asked = json.loads(_request(pipe))
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    try:
        found = answer(asked)
    except Exception as error:  # any error of the libraries becomes the answer
        found = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
    with os.fdopen(out, "w", encoding="utf-8") as stream:
        json.dump(found, stream)
    os._exit(0)  # no library has anything left to do here, and some wait for threads


if __name__ == "__main__":
    main()
