"""Claims that people have labelled, with the passages that were meant to support them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from adapters.errors import DataError
from adapters.identity import digest, text_digest
from adapters.judges.rows import VerdictRow, verdict_rows
from adapters.judges.vocabulary import EXAMPLES, worth_of
from adapters.protocols import Floats, Integers
from harness.measuring.statistics.design import Floats64

_LEFT_OUT = {
    "missing": "no evidence was given (Missing)",
    "n/a": "the evidence could not be opened (N/A)",
    "none": "not judged (null)",
}
_REFERENCE = re.compile(r"\A\s*\[\d+\]\s*(https?://\S+)?\s*")
_NUMBER = re.compile(r"0(\.[0-9]*)?|\.[0-9]+|1(\.0*)?")
"""From 0 to 1."""
_CITATION = re.compile(r"\s*\[\d+\]")


@dataclass(frozen=True, eq=False)
class Labelled:
    """Claims with labels of people. A claim may have several rows, one for each passage; its value is their maximum.

    Args:
        name: of the file.
        premises, claims: the texts of every row.
        unit: int64 [rows], the number of each row's claim.
        labels: float64 [units], in [0, 1].
        clusters: one for each unit; units of a cluster are drawn together, because they are not independent.
        languages: the language of each unit, '' where the file names none.
        left_out: how many claims were left out, by reason.
    """

    name: str
    premises: Sequence[str]
    claims: Sequence[str]
    unit: Integers
    labels: Floats64
    clusters: tuple[str, ...]
    languages: tuple[str, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def digest(self) -> str:
        """32 hex digits over texts and labels."""
        rows = (text_digest(one).hex() for texts in (self.premises, self.claims) for one in texts)
        return digest({"texts": list(rows), "unit": self.unit.tolist(), "labels": self.labels.tolist()})

    @property
    def lengths(self) -> Floats64:
        """Characters of the longest premise of every unit, float64 [units]."""
        found = np.zeros(len(self))
        np.maximum.at(found, self.unit, [float(len(premise)) for premise in self.premises])
        return found

    @property
    def fitted(self) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Whether a unit is in the half on which thresholds are fitted, bool [units]. The digest of the claim decides,
        so all rows of a claim are in one half."""
        claim = dict(zip(self.unit.tolist(), self.claims, strict=True))
        return np.array([text_digest(claim[unit])[0] % 2 == 0 for unit in range(len(self))])

    def of_units(self, values: Sequence[float] | Floats | Floats64) -> Floats64:
        """The maximum over the rows of every unit, float64 [units]."""
        found = np.full(len(self), -np.inf)
        np.maximum.at(found, self.unit, np.asarray(values, np.float64))
        return found


def read_labelled(file: Path) -> Labelled:
    """Read labelled claims.

    - Rows of `premise` (or `evidence`, a text or a list of sentences), `claim` and `label`: a number in [0, 1] or a
      word. Rows with the same `id` are one claim, as in WiCE. Rows without an id are claims of their own; a row that
      repeats the texts and the label of another is left out and counted. `language` is optional.
    - ExpertQA: questions with the claims of several answers. Claims without evidence or judgment are left out.

    Raises:
        DataError: a row is not valid, two rows of a claim or of the same texts disagree, or there is no claim; in a
            line that names the place.
    """
    rows = list(verdict_rows(file))
    if not rows:
        raise DataError(f"{file}: no rows; write one object with premise, claim and label per line")
    found = _expert(rows) if "answers" in rows[0].fields else _plain(rows)
    if not found.labels:
        raise DataError(f"{file}: all claims were left out ({_said(found.left_out)}); name a file with labels")
    return Labelled(
        file.name, found.premises, found.claims, np.array(found.unit, np.int64), np.array(found.labels, np.float64),
        tuple(found.clusters), tuple(found.languages), found.left_out,
    )  # fmt: skip


@dataclass
class _Gathered:
    premises: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    unit: list[int] = field(default_factory=list)
    labels: list[float] = field(default_factory=list)
    clusters: list[str] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)

    def add(self, premise: str, claim: str, unit: int) -> None:
        self.premises.append(premise)
        self.claims.append(claim)
        self.unit.append(unit)

    def begin(self, label: float, cluster: str, language: str) -> int:
        """Add a unit and return its number."""
        self.labels.append(label)
        self.clusters.append(cluster)
        self.languages.append(language)
        return len(self.labels) - 1

    def leave_out(self, reason: str) -> None:
        self.left_out[reason] = self.left_out.get(reason, 0) + 1


class _Once:
    """The rows without an id, each once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], tuple[float, str]] = {}

    def repeats(self, row: VerdictRow, label: float) -> bool:
        """Whether an earlier row has the same texts and label.

        Raises:
            DataError: an earlier row has the same texts and another label.
        """
        texts = row.premise, row.text("claim")
        before = self._known.setdefault(texts, (label, row.where))
        if before[0] != label:
            raise DataError(
                f"{row.where}: the label {label:g} contradicts {before[0]:g} in {before[1]} for the same premise and "
                "claim; keep one of the two rows"
            )
        return before[1] != row.where


def _plain(rows: Iterable[VerdictRow]) -> _Gathered:
    found, once = _Gathered(), _Once()
    seen: dict[str, tuple[int, str, float, str]] = {}
    for row in rows:
        claim, label, language = row.text("claim"), label_of(row.fields.get("label"), row.where), _language(row)
        id = row.id
        if id is None and once.repeats(row, label):
            found.leave_out("repeated an earlier row: its premise, claim and label")
            continue
        before = seen.get(id) if id is not None else None
        if before is not None and before[1:3] != (claim, label):
            what = "label" if before[1] == claim else "claim"
            raise DataError(
                f"{row.where}: the id '{id}' has another {what} in {before[3]}; rows of a claim have one of each"
            )
        unit = found.begin(label, claim, language) if before is None else before[0]
        if id is not None and before is None:
            seen[id] = unit, claim, label, row.where
        found.add(row.premise, claim, unit)
    return found


def _expert(rows: Iterable[VerdictRow]) -> _Gathered:
    found = _Gathered()
    for row in rows:
        question, answers = row.text("question"), row.fields.get("answers")
        if not isinstance(answers, dict):
            raise DataError(f"{row.where}: 'answers' is not an object; this is no file of ExpertQA")
        for system, answer in answers.items():
            claims = answer.get("claims") if isinstance(answer, dict) else None
            if not isinstance(claims, list) or not all(isinstance(one, dict) for one in claims):
                raise DataError(f"{row.where}: the answer of '{system}' has no list of claims")
            for claim in claims:
                _expert_claim(found, claim, question, row.where)
    return found


def _expert_claim(found: _Gathered, claim: Mapping[str, object], question: str, where: str) -> None:
    support, text, evidence = claim.get("support"), claim.get("claim_string"), claim.get("evidence")
    reason = _LEFT_OUT.get(str(support).casefold())
    if reason is not None:
        found.leave_out(reason)
        return
    texts = (
        [_REFERENCE.sub("", part).strip() for part in evidence or () if isinstance(part, str)]
        if isinstance(evidence, list)
        else []
    )
    premise, stated = "\n\n".join(filter(None, texts)), _CITATION.sub("", text).strip() if isinstance(text, str) else ""
    if not premise or not stated:
        found.leave_out("the evidence is an address without a text" if stated else "the claim has no text")
        return
    unit = found.begin(label_of(support, where), question, "en")
    found.add(premise, stated, unit)


def label_of(value: object, where: str) -> float:
    """A label as a number in [0, 1]: a number, also written as a text, or a word of `adapters.judges.vocabulary`.

    Raises:
        DataError: it is neither such a number nor a known word.
    """
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= 1:
        return float(value)
    if isinstance(value, str):
        found = float(value) if _NUMBER.fullmatch(value.strip()) else worth_of(value)
        if found is not None:
            return found
    raise DataError(f"{where}: the label {value!r} is neither a number from 0 to 1 nor a known word ({EXAMPLES}, ...)")


def _language(row: VerdictRow) -> str:
    value = row.fields.get("language", row.fields.get("lang", ""))
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DataError(f"{row.where}: the language {value!r} is not a text; write a code such as 'en'")
    return value


def _said(left_out: Mapping[str, int]) -> str:
    return "; ".join(f"{count:,} {reason}" for reason, count in left_out.items())
