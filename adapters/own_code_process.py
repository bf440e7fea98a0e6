"""The process that runs the code of a model's folder: requests and answers are lines of JSON on its standard streams.

It imports nothing of this package, and runs on Python 3.9 or newer with transformers 4.40 or newer, because it may be
started with the Python of another environment. It runs until its input ends, which happens when its parent exits.
"""

from __future__ import annotations

import os
import sys

sys.path[:] = [
    place
    for place in sys.path
    if os.path.realpath(place or ".") != os.path.dirname(os.path.realpath(__file__))  # noqa: PTH120
]

import contextlib  # noqa: E402
import ctypes  # noqa: E402
import hashlib  # noqa: E402
import inspect  # noqa: E402
import json  # noqa: E402
import queue  # noqa: E402
import signal  # noqa: E402
import threading  # noqa: E402
from abc import ABC, abstractmethod  # noqa: E402
from array import array  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

_PR_SET_PDEATHSIG = 1
_QUERY, _DOCUMENT = 0, 1
"""Mark the place of a text in the pieces of a template."""
Read = tuple[dict[str, list[int]], int, int]
"""The inputs of a pair, and the tokens of its document before and after truncation."""


class Refused(Exception):
    """A request that cannot be answered, with a reason for the user."""


class _Scorer(ABC):
    """A loaded model, and its current request.

    Args:
        call: how the folder is called; see `adapters/own_code.py`.
    """

    def __init__(self, call: dict[str, Any]) -> None:
        import torch

        self.call = call
        self.device = call["device"] or ("cuda" if torch.cuda.is_available() else "cpu")
        self.model = _loaded(call, self.device)
        self.queries: list[str] = []
        self.documents: list[str] = []
        self.pairs: list[list[int]] = []

    def prepare(self, queries: list[str], documents: list[str], pairs: list[list[int]]) -> dict[str, list[int]]:
        """Take the texts of a request, and return the lengths and digests of its inputs, as far as they are known."""
        self.queries, self.documents, self.pairs = queries, documents, pairs
        return {"lengths": [len(queries[query]) + len(documents[document]) for query, document in pairs]}

    def texts(self, row: int) -> tuple[str, str]:
        """The query and the document of a row."""
        query, document = self.pairs[row]
        return self.queries[query], self.documents[document]

    @abstractmethod
    def score(self, rows: list[int]) -> list[float]:
        """The scores of some rows of the request."""


class _Method(_Scorer):
    """A model with a method `compute_score` for pairs, or `rerank` for a list, which tokenises texts itself."""

    def score(self, rows: list[int]) -> list[float]:
        import torch

        method = self.model.compute_score
        more: dict[str, Any] = {}
        accepted = inspect.signature(method).parameters
        if "batch_size" in accepted:
            more["batch_size"] = len(rows)
        if self.call["max_length"] is not None:
            more["max_length"] = self.call["max_length"]
        with torch.no_grad():
            found = method([list(self.texts(row)) for row in rows], **more)
        return _numbers(found, len(rows), "compute_score")

    def order(self, query: str, documents: list[str]) -> list[int]:
        import torch

        with torch.no_grad():
            results = self.model.rerank(query, documents)
        return [int(result["index"]) for result in results]


class _Encoded(_Scorer):
    """A model that is given token ids."""

    def __init__(self, call: dict[str, Any]) -> None:
        super().__init__(call)
        from transformers import AutoTokenizer

        # Only ?code=own starts this process: the user has asked for the code of this folder.
        self.tokenizer: Any = AutoTokenizer.from_pretrained(
            call["folder"], trust_remote_code=True, local_files_only=True
        )
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token

    def prepare(self, queries: list[str], documents: list[str], pairs: list[list[int]]) -> dict[str, list[int]]:
        super().prepare(queries, documents, pairs)
        found: dict[str, list[int]] = {"lengths": [], "tokens": [], "kept": [], "inputs": []}
        for row in range(len(pairs)):
            features, tokens, kept = self.read(row)
            found["lengths"].append(len(features["input_ids"]))
            found["tokens"].append(tokens)
            found["kept"].append(kept)
            found["inputs"].append(_digest(features["input_ids"]))
        return found

    @abstractmethod
    def read(self, row: int) -> Read:
        """The inputs of a row."""

    def logits(self, features: list[dict[str, list[int]]], rows: list[int]) -> Any:
        """The model's scores of some inputs."""
        return self.model(**self.padded(features)).logits

    def score(self, rows: list[int]) -> list[float]:
        import torch

        with torch.inference_mode():
            found = self.logits([self.read(row)[0] for row in rows], rows)
        return _numbers(found, len(rows), "the model")

    def padded(self, features: list[dict[str, list[int]]], side: str | None = None) -> dict[str, Any]:
        """Inputs as tensors on the device; `side` None pads on the tokenizer's side."""
        own = self.tokenizer.padding_side
        self.tokenizer.padding_side = side or own
        try:
            batch = self.tokenizer.pad(features, padding=True, return_tensors="pt")
        finally:
            self.tokenizer.padding_side = own
        return {name: values.to(self.device) for name, values in batch.items()}

    def ids(self, text: str) -> list[int]:
        """Token ids without special tokens at the ends."""
        return list(self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


class _Pair(_Encoded):
    """A query and a document as the tokenizer joins them; a long pair loses tokens of its longer text first."""

    def read(self, row: int) -> Read:
        query, document = self.texts(row)
        read = self.tokenizer(query, document, truncation="longest_first", max_length=self.call["max_length"])
        features = {name: list(values) for name, values in read.items()}
        tokens = len(self.ids(document))
        if self.tokenizer.is_fast:
            return features, tokens, read.sequence_ids(0).count(1)
        around = self.tokenizer.num_special_tokens_to_add(pair=True)
        asked = len(self.ids(query))
        lost = max(asked + tokens + around - len(features["input_ids"]), 0)
        return features, tokens, tokens - _lost_of_second(asked, tokens, lost)


class _Text(_Encoded):
    """One text in pieces, each tokenised by itself; only the document is cut, at its end."""

    def read(self, row: int) -> Read:
        before, document, after = self.parts(row)
        room = self.call["max_length"] - len(before) - len(after)
        if room < 1:
            raise Refused(
                f"the query {self.texts(row)[0][:57]!r} and the template leave no token for a document in max_length="
                f"{self.call['max_length']}: raise max_length to {len(before) + len(after) + 1} or more"
            )
        return _features([*before, *document[:room], *after]), len(document), min(len(document), room)

    def parts(self, row: int) -> tuple[list[int], list[int], list[int]]:
        """The token ids before the document, of the document, and after it."""
        before, after = self.around(row)
        piece = self.call["pieces"][self.place]
        body, head = self.piece(piece, row), len(self.piece(piece[:-1], row))
        return [*before, *body[:head]], body[head:], after

    def around(self, row: int) -> tuple[list[int], list[int]]:
        """The token ids of the pieces before the document's piece, and after it."""
        pieces = self.call["pieces"]
        before, after = (
            [token for piece in some for token in self.piece(piece, row)]
            for some in (pieces[: self.place], pieces[self.place + 1 :])
        )
        return before, after

    @property
    def place(self) -> int:
        """The place of the piece with the document, which ends it."""
        return next(place for place, piece in enumerate(self.call["pieces"]) if _DOCUMENT in piece)

    def piece(self, piece: list[str | int], row: int) -> list[int]:
        """The token ids of a piece."""
        texts = self.texts(row)
        return self.ids("".join(texts[part] if isinstance(part, int) else part for part in piece))


class Layers(_Text):
    """A causal model with a head after each layer: the score at the last token, after the chosen layer."""

    def logits(self, features: list[dict[str, list[int]]], rows: list[int]) -> Any:
        import torch

        inputs = self.padded(features, "right")
        more: dict[str, Any] = {"cutoff_layers": [self.call["layer"]]}
        if self.call["compresses"]:
            around = [self.around(row) for row in rows]
            more["query_lengths"] = [
                len(before) for before, _ in around
            ]  # what is merged is the document's whole piece
            more["prompt_lengths"] = [len(after) for _, after in around]
            more["compress_layer"] = self.call["compress_layers"]
            more["compress_ratio"] = self.call["compress_ratio"]
        outputs = self.model(**inputs, output_hidden_states=True, return_dict=True, **more)
        logits, masks = outputs.logits, getattr(outputs, "attention_masks", None)
        if isinstance(logits, torch.Tensor) or len(logits) != 1:
            raise Refused("the model does not return a list with the scores of one layer; choose another call")
        mask = masks[0] if masks else inputs["attention_mask"]
        last = mask.long().sum(dim=1) - 1
        return logits[0].reshape(len(rows), -1)[torch.arange(len(rows), device=last.device), last]


class Querit(_Text):
    """A text followed by [CLS], padded on the left to the full length; a longer text keeps its last ids."""

    def prepare(self, queries: list[str], documents: list[str], pairs: list[list[int]]) -> dict[str, list[int]]:
        return {**super().prepare(queries, documents, pairs), "lengths": [self.call["max_length"]] * len(pairs)}

    def read(self, row: int) -> Read:
        features, _, _ = super().read(row)  # refuses a query that leaves no space
        before, document, after = self.parts(row)
        limit = self.call["max_length"]
        whole = [*before, *document, *after]
        cls = self.tokenizer.convert_tokens_to_ids("[CLS]")
        if cls is None or "[CLS]" not in self.tokenizer.get_vocab():
            raise Refused("its tokenizer has no token [CLS], at which this kind of model gives the score")
        features = _features([*whole[:limit], cls][-limit:])
        return features, len(document), min(len(document), max(limit - len(before), 0))

    def logits(self, features: list[dict[str, list[int]]], rows: list[int]) -> Any:
        import torch

        limit, pad = self.call["max_length"], self.tokenizer.pad_token_id or 0
        ids = torch.full((len(rows), limit), pad, dtype=torch.long)
        real = torch.zeros((len(rows), limit), dtype=torch.bool)
        for row, one in enumerate(features):
            ids[row, limit - len(one["input_ids"]) :] = torch.tensor(one["input_ids"])
            real[row, limit - len(one["input_ids"]) :] = True
        mask = real[:, None, :] & real[:, :, None] & torch.ones((limit, limit), dtype=torch.bool).tril()
        found = self.model(input_ids=ids.to(self.device), attention_mask=mask[:, None].to(self.device))
        return found["score"]


KINDS: dict[str, Callable[[dict[str, Any]], _Scorer]] = {
    "pair": _Pair, "text": _Text, "layers": Layers, "querit": Querit, "compute_score": _Method, "rerank": _Method,
}  # fmt: skip


def _loaded(call: dict[str, Any], device: str) -> Any:
    """The network in evaluation mode.

    Raises:
        Refused: some of its weights are not in the folder.
    """
    import torch
    import transformers

    version = tuple(int(part) for part in transformers.__version__.split(".")[:2])
    options: dict[str, Any] = {"dtype" if version >= (4, 56) else "torch_dtype": getattr(torch, call["dtype"])}
    options.update({} if call["pickle"] else {"use_safetensors": True})
    options.update({} if call["attention"] is None else {"attn_implementation": call["attention"]})
    # As for the tokenizer: the user has asked for this folder's code with ?code=own. Nothing is fetched.
    network, report = getattr(transformers, call["auto"]).from_pretrained(
        call["folder"], trust_remote_code=True, local_files_only=True, output_loading_info=True, **options
    )
    learned = {name for name, _ in network.named_parameters()}
    missing = sorted(set(report["missing_keys"]) & learned) + [str(key) for key in report["mismatched_keys"]]
    if missing:
        raise Refused(f"it lacks {len(missing)} weights, such as {missing[0]}: they would be random")
    return network.eval().to(device)


def _numbers(found: Any, count: int, what: str) -> list[float]:
    """One float for each row."""
    if hasattr(found, "float"):
        found = found.float().cpu()
    if hasattr(found, "tolist"):
        found = found.reshape(-1).tolist()
    listed = [float(one) for one in (found if isinstance(found, (list, tuple)) else [found])]
    if len(listed) != count:
        raise Refused(f"{what} gives {len(listed)} scores for {count} pairs; one for each is needed")
    return listed


def _lost_of_second(first: int, second: int, lost: int) -> int:
    """Tokens that the second text loses if the longer one is cut, token by token, until `lost` are gone."""
    apart = second - first
    if lost <= abs(apart):
        return lost if apart > 0 else 0
    shared = lost - abs(apart)
    return max(apart, 0) + (shared + 1) // 2


def _features(ids: list[int]) -> dict[str, list[int]]:
    return {"input_ids": ids, "attention_mask": [1] * len(ids)}


def _digest(ids: list[int]) -> int:
    """64 bits over token ids as little-endian int32; never 0, which means unknown."""
    words = array("i", ids)
    if sys.byteorder == "big":
        words.byteswap()
    return int.from_bytes(hashlib.blake2b(words.tobytes(), digest_size=8).digest(), "little") or 1


def _answer(scorer: _Scorer | None, asked: dict[str, Any]) -> tuple[_Scorer | None, dict[str, Any]]:
    """The scorer to use from now on, and the answer to a request."""
    if "load" in asked:
        known = set(sys.path)
        sys.path.extend(place for place in asked["path"] if place and place not in known)  # last: what is not found
        scorer = KINDS[asked["load"]["call"]](asked["load"])
        return scorer, {"device": scorer.device}
    assert scorer is not None
    if "prepare" in asked:
        return scorer, scorer.prepare(**asked["prepare"])
    if "order" in asked:
        assert isinstance(scorer, _Method)  # the only kind that orders lists
        return scorer, {"order": scorer.order(**asked["order"])}
    return scorer, {"scores": scorer.score(asked["score"])}


def _receive(pipe: int, requests: queue.Queue[bytes]) -> None:
    """Queue the lines of a pipe, and end the process when the pipe ends, for instance because the parent was killed."""
    parts: list[bytes] = []
    with contextlib.suppress(OSError):
        while part := os.read(pipe, 1 << 20):
            *ends, rest = part.split(b"\n")
            for end in ends:
                requests.put(b"".join([*parts, end]))
                parts = []
            parts.append(rest)
    os._exit(1)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Answer requests one by one. Standard input and output carry only requests and answers; libraries get others."""
    if "--end-with-parent" in sys.argv:
        _end_with_parent()
    pipe, out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    requests: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_receive, args=(pipe, requests), daemon=True).start()
    scorer: _Scorer | None = None
    with os.fdopen(out, "w", encoding="utf-8") as stream:
        while True:
            asked = json.loads(requests.get())
            try:
                scorer, found = _answer(scorer, asked)
            except Refused as error:
                found = {"error": " ".join(str(error).split())}
            except Exception as error:  # any error of the model's code becomes the answer
                found = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
            stream.write(json.dumps(found) + "\n")
            stream.flush()


if __name__ == "__main__":
    main()
