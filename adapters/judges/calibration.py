"""The file that `harness judge calibrate` writes for a judge: its threshold, and the figures behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import DataError
from adapters.typed_file import read_json

VERSION = 1
_ADVICE = "write it again with harness judge calibrate --out"


@dataclass(frozen=True)
class JudgeCalibration:
    """A judge's threshold, fitted on labels of people.

    Args:
        version: of this file.
        judge: the digest of the identity whose scores were compared with labels: of the reranker, or of the judge.
        name: the name of the judge, for readers.
        data: the digest of the labelled claims.
        threshold: from this score on, a claim counts as supported.
        slope, intercept: the probability of support is 1 / (1 + exp(-(slope * score + intercept))).
        figures: what was measured on the other half: value, low and high.
    """

    version: int
    judge: str
    name: str
    data: str
    threshold: float
    slope: float
    intercept: float
    figures: Mapping[str, tuple[float | None, float | None, float | None]]


def read_calibration(file: Path) -> JudgeCalibration:
    """Read a calibration file.

    Raises:
        DataError: the file is not one, or has another version, in one line that names it.
    """
    found = read_json(file, JudgeCalibration, error=DataError, advice=_ADVICE, complete=True)
    if found.version != VERSION:
        raise DataError(f"{file}: version {found.version}, and this program reads version {VERSION}; {_ADVICE}")
    if not all(map(math.isfinite, (found.threshold, found.slope, found.intercept))):
        raise DataError(f"{file}: threshold, slope and intercept have to be finite numbers; {_ADVICE}")
    return found
