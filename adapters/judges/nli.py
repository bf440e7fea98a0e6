"""Natural language inference: a classifier whose labels say whether the first text supports the second."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from adapters.classifier_inputs import PairInputs
from adapters.cross_encoder import CrossEncoder
from adapters.errors import ModelError, UsageError
from adapters.judges.streamed import ScoreJudge
from adapters.judges.vocabulary import worth_of
from adapters.labels import OutputLabel, label_names
from adapters.models import open_folder
from adapters.pairs import kept_tokens
from adapters.protocols import Floats, IndexPairs, Scored

Answer = Literal["probability", "grade"]


class NLIJudge(ScoreJudge):
    """A sequence classifier with labels such as entailment, neutral and contradiction, or supported,
    partially_supported and not_supported. The labels are read by their names in config.json.

    The value is the probability of support; a partial label counts half. With answer=grade it is the worth of the
    likeliest label: 1, 0.5 or 0.

    Args:
        model: a folder or a hub name.
        labels: the names of the outputs in their order, where config.json has none, as in
            `labels=contradiction,neutral,entailment`. A model with one output needs `labels=entailment`.
        max_length: tokens of premise and claim together. The longer text is cut first, which is counted.

    Raises:
        ModelError: a label is unknown, or there is not exactly one label of full support.
        UsageError: `labels` does not fit the model, or grades are asked for and it has one output.
    """

    kind = "nli/1"
    premise_first = True

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        labels: str | None = None,
        answer: Answer = "probability",
        max_length: int | None = None,
        device: str | None = None,
        dtype: Literal["float32", "float16", "bfloat16"] = "float32",
        pickle: bool = False,
    ) -> None:
        folder = open_folder(model, revision)
        names = label_names(folder, pickle=pickle)
        worth = _worth(folder.name, names, labels)
        if answer == "grade" and len(worth) == 1:
            raise UsageError(
                f"'{folder.name}' has one output, a probability of support and no grade; leave out answer=grade"
            )
        super().__init__(_Classifier(model, revision, worth, answer, max_length, device, dtype, pickle))
        self.grades = tuple(sorted(set(worth))) if answer == "grade" else None

    def values(self, scores: Floats) -> Floats:
        """The scores, which are values already."""
        return np.clip(scores, 0, 1)


@dataclass(frozen=True)
class _Support(OutputLabel):
    """How the value is made of the logits."""

    worth: tuple[float, ...] = ()
    answer: Answer = "probability"

    @property
    def identity(self) -> dict[str, object]:
        return {"worth": list(self.worth), "answer": self.answer}

    def scores(self, logits: npt.NDArray[np.floating]) -> Floats:
        """Values in [0, 1], float32 [n], of logits [n, labels]."""
        if logits.ndim != 2 or logits.shape[1] != len(self.worth):
            raise ModelError(f"the model gives {logits.shape[-1]} scores a pair, and its files say {len(self.worth)}")
        wide, worth = logits.astype(np.float64), np.array(self.worth)
        if len(worth) == 1:
            return (1 / (1 + np.exp(-np.clip(wide[:, 0], -700, 700)))).astype(np.float32)
        odds = np.exp(wide - wide.max(axis=1, keepdims=True))
        if self.answer == "grade":
            found = np.where(np.isfinite(wide).all(axis=1), worth[np.argmax(wide, axis=1)], np.nan)
            return np.asarray(found, np.float32)
        return np.asarray((odds @ worth) / odds.sum(axis=1), np.float32)


class _Classifier(CrossEncoder):
    """Values of (premise, claim). `tokens` and `kept` count both texts."""

    def __init__(  # noqa: PLR0917
        self,
        model: str,
        revision: str | None,
        worth: tuple[float, ...],
        answer: Answer,
        max_length: int | None,
        device: str | None,
        dtype: Literal["float32", "float16", "bfloat16"],
        pickle: bool,
    ) -> None:
        super().__init__(
            model, revision=revision, max_length=max_length, device=device, dtype=dtype, label=0, pickle=pickle
        )
        self._label = _Support(0, len(worth), softmax=False, worth=worth, answer=answer)

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        inputs = self._inputs
        if not len(pairs) or not isinstance(inputs, PairInputs):
            yield from super().stream(queries, documents, pairs)
            return
        tokenizer, pairs = inputs.tokenizer, np.asarray(pairs)
        before = [
            _lengths(tokenizer, texts)[column] for texts, column in zip((queries, documents), pairs.T, strict=True)
        ]
        space = inputs.max_length - int(tokenizer.num_special_tokens_to_add(pair=True))
        after = kept_tokens(before[0], before[1], space, inputs.truncation)
        tokens, kept = ((left + right).astype(np.int32) for left, right in (before, after))
        for scored in super().stream(queries, documents, pairs):
            yield replace(scored, tokens=tokens[scored.rows], kept=kept[scored.rows])


def _lengths(tokenizer: object, texts: Sequence[str]) -> npt.NDArray[np.int64]:
    encoded = tokenizer(list(texts), add_special_tokens=False, verbose=False)  # type: ignore[operator]
    return np.array([len(ids) for ids in encoded["input_ids"]], np.int64)


def _worth(model: str, names: list[str], given: str | None) -> tuple[float, ...]:
    """What each output is worth: 1 for support, 0.5 for partial support, 0 for none."""
    if given is not None:
        listed = [name.strip() for name in given.split(",")]
        if len(listed) != len(names):
            raise UsageError(f"'{model}' has {len(names)} outputs, and labels={given} names {len(listed)}")
        names = listed
    found = [worth_of(name) for name in names]
    unknown = [name for name, one in zip(names, found, strict=True) if one is None]
    if unknown:
        example = "entailment" if len(names) == 1 else "contradiction,neutral,entailment"
        raise ModelError(
            f"'{model}' has the labels {', '.join(names)}, and '{unknown[0]}' does not say whether a premise supports "
            f"a claim; name them in their order, as in ?labels={example}"
        )
    worth = tuple(one for one in found if one is not None)
    if worth.count(1.0) != 1 or (len(worth) > 1 and 0.0 not in worth):
        raise ModelError(
            f"'{model}' has the labels {', '.join(names)}; one of them has to mean support, and one no support"
        )
    return worth
