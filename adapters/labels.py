"""Which output of a classifier means relevance, and how a score is made from several outputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from adapters.contents import Contents
from adapters.errors import ModelError
from adapters.kinds import output_of
from adapters.models import ModelFolder
from adapters.pickled import read_pickled
from adapters.protocols import Floats
from adapters.reranker_family import ScoreLabels, families, family_of_classifier
from adapters.soundness import safetensors_header

_COUNTS, _PLACES = {2: "two"}, {0: "first", 1: "second"}
_HEADS = (".score.weight", ".classifier.weight", ".out_proj.weight")
_NUMBERED = re.compile(r"label_?(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class OutputLabel:
    """The output to rank by.

    Args:
        index: the column of the logits.
        count: how many columns there are.
        softmax: whether the columns compete, so that the score is the logit of the softmax: `l_i - log sum exp(l_j)`
            over the others. With two columns that is `l_1 - l_0`. Without it the score is the logit itself.
        remark: an assumption that a reader of the scores should know.
    """

    index: int
    count: int
    softmax: bool
    remark: str | None = None

    @property
    def identity(self) -> dict[str, object]:
        """How the score is made; a single logit is the plain case."""
        return {"label": self.index, **({"label_odds": self.count} if self.softmax else {})}

    def scores(self, logits: npt.NDArray[np.floating]) -> Floats:
        """Scores, float32 [n], of logits [n, count]. The order is that of the label's probability, without the
        rounding of a probability near 1.

        Raises:
            ModelError: the number of logits is not `count`.
        """
        if logits.ndim != 2 or logits.shape[1] != self.count:
            raise ModelError(f"the model gives {logits.shape[-1]} scores a pair, and its files say {self.count}")
        wide = logits.astype(np.float64)
        own = wide[:, self.index]
        if not self.softmax:
            return own.astype(np.float32)
        others = np.delete(wide, self.index, axis=1)
        highest = others.max(axis=1)
        spread = np.log(np.exp(others - highest[:, None]).sum(axis=1))
        odds: Floats = (own - (highest + spread)).astype(np.float32)
        return odds


def label_of(
    folder: ModelFolder, asked: int | str | None, *, pickle: bool = False, head: ScoreLabels | None = None
) -> OutputLabel:
    """The label to rank by: the given one, else the one that the head of the folder's family names.

    Two labels named LABEL_0 and LABEL_1 are taken as not relevant and relevant, with a remark.

    Args:
        asked: the number or name of a label; None chooses by the folder's files.
        pickle: read the pickled head of a LoRA adapter.
        head: the head in the user's own family file; it counts if it has the folder's number of labels.

    Raises:
        ModelError: there are several labels and none is given or recognised, or there is no such label.
    """
    names = label_names(folder, pickle=pickle)
    softmax = len(names) > 1 and folder.config.get("problem_type") not in ("multi_label_classification", "regression")
    if asked is not None:
        return OutputLabel(_found(folder, names, asked), len(names), softmax)
    if len(names) == 1:
        return OutputLabel(0, 1, softmax=False)
    own = head is not None and head.labels == len(names)
    recognised = _relevant(names, head if own else _head_of(folder, len(names)), assumed=not own)
    if recognised is None:
        raise ModelError(
            f"'{folder.name}' has {len(names)} labels, {_listed(names)}; say which one is relevance, as in "
            f"?label={_example(names)}"
        )
    index, remark = recognised
    return OutputLabel(index, len(names), softmax, remark)


def head_of_adapter(folder: ModelFolder, *, pickle: bool = False) -> int | None:
    """The number of scores of a LoRA adapter's head; None if there is no adapter, or it keeps the head of its base.

    Raises:
        ModelError: its weights are missing, are pickled without `pickle`, or cannot be read.
    """
    if folder.base is None:
        return None
    for name in Contents(folder, pickle).weights:
        for tensor, shape in _shapes(folder.path / name):
            if tensor.endswith(_HEADS):
                return shape[0]
    return None


def _shapes(file: Path) -> Iterable[tuple[str, tuple[int, ...]]]:
    """Names and shapes of a file's tensors. A pickle has no header and is read whole, without running its code."""
    if file.suffix == ".safetensors":
        return ((name, entry.shape) for name, entry in safetensors_header(file).items())
    return ((name, tuple(tensor.shape)) for name, tensor in read_pickled(file).items())


def label_names(folder: ModelFolder, *, pickle: bool = False) -> list[str]:
    """The labels in the order of their logits: the names in config.json, or two labels, as in transformers. The names
    do not apply if an adapter has another number of labels than its base."""
    names, count = _configured(folder), head_of_adapter(folder, pickle=pickle)
    return names if count in (None, len(names)) else _numbered(count or 0)


def _configured(folder: ModelFolder) -> list[str]:
    if folder.chain and output_of(folder) == "scores":
        size = folder.json(f"{folder.chain[-1].path}/config.json").get("out_features")
        return _numbered(size if isinstance(size, int) and size > 0 else 1)
    named, count = folder.config.get("id2label"), folder.config.get("num_labels")
    if isinstance(count, int) and isinstance(named, Mapping) and len(named) != count:
        named = None  # transformers believes the number
    if isinstance(named, Mapping) and named:
        try:
            places = {int(key): str(name) for key, name in named.items()}
        except (TypeError, ValueError):
            raise ModelError(f"{folder.path}: id2label in config.json has keys that are not numbers") from None
        if sorted(places) != list(range(len(places))):
            raise ModelError(f"{folder.path}: id2label in config.json does not count from 0; save the config again")
        return [places[index] for index in range(len(places))]
    return _numbered(count if isinstance(count, int) and count > 0 else 2)


def _numbered(count: int) -> list[str]:
    return [f"LABEL_{index}" for index in range(count)]


def _found(folder: ModelFolder, names: list[str], asked: int | str) -> int:
    if isinstance(asked, str):
        wanted = [index for index, name in enumerate(names) if _plain(name) == _plain(asked)]
        if len(wanted) == 1:
            return wanted[0]
    elif 0 <= asked < len(names):
        return asked
    raise ModelError(f"'{folder.name}' has no label {asked}; it has {_listed(names)}")


def _head_of(folder: ModelFolder, labels: int) -> ScoreLabels | None:
    name = family_of_classifier(folder.architecture, labels)
    return None if name is None else families()[name].head


def _relevant(names: list[str], head: ScoreLabels | None, *, assumed: bool) -> tuple[int, str | None] | None:
    """The relevant label, and what was assumed; None if neither the head nor the names show which it is."""
    if head is None:
        return None
    if head.unnamed is not None and _are_numbers(names):
        count, place = _COUNTS.get(len(names), str(len(names))), _PLACES.get(head.unnamed, names[head.unnamed])
        remark = f"its {count} labels have no names ({', '.join(names)}); the {place} is taken as relevant"
        return head.unnamed, remark if assumed else None
    plain = [_plain(name) for name in names]
    relevant, irrelevant = ({_plain(name) for name in listed} for listed in (head.relevant, head.irrelevant))
    found = [index for index, name in enumerate(plain) if name in relevant]
    others = all(name in irrelevant for index, name in enumerate(plain) if index not in found)
    return (found[0], None) if len(found) == 1 and others else None


def _are_numbers(names: list[str]) -> bool:
    numbers = [match[1] for name in names if (match := _NUMBERED.fullmatch(name))]
    return numbers == [str(index) for index in range(len(names))]


def _plain(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.casefold()) or name


def _listed(names: list[str]) -> str:
    return ", ".join(f"{index} ({name})" for index, name in enumerate(names))


def _example(names: list[str]) -> str:
    heads = [family.head for family in families().values() if family.head is not None]
    relevant = {_plain(name) for head in heads for name in head.relevant}
    return next((name for name in names if _plain(name) in relevant), "1")
