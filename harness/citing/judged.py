"""A judge whose answers are kept in the ledger, and whose failures on single pairs are missing values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adapters.errors import EnvironmentFailure, MissingExtra, ModelError
from adapters.protocols import Floats, Judge
from adapters.spec import identity_of, remarks_of
from harness.labelling.ledgered import judgments
from harness.numbers import plural
from harness.scoring.session import Session

_AT_ONCE = 256
_ENDLESS = 16
"""Pairs without a value before the first one with a value; the judge is then not asked further."""


class KeptJudge:
    """A judge through the ledger: a pair that was judged once is not judged again.

    A pair for which the judge gives no number in [0, 1] is NaN and not kept. What else fails is raised.

    Args:
        judge: the judge.
        session: has the ledger.
    """

    def __init__(self, judge: Judge, session: Session) -> None:
        self.inner, self.session = judge, session
        self.name, self.identity, self.grades = judge.name, identity_of(judge), judge.grades
        self.fresh = 0
        """The pairs that were judged now."""
        self.truncated = 0
        """The pairs of which the judge did not read all tokens."""
        self._failed, self._succeeded, self._reason = 0, 0, ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the values has to know: why a pair has no value, and how many were not read to their end."""
        cut = (
            (f"{self.name} did not read all of {plural('pair', self.truncated)} (truncation)",)
            if self.truncated
            else ()
        )
        return (*remarks_of(self.inner), *((self._reason,) if self._reason else ()), *cut)

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> Floats:
        """Return float32 [len(claims)]; NaN where the judge gave no value.

        Raises:
            ModelError: the first pairs have no value, one after the other.
            HarnessError: the judge fails as a whole.
        """
        parts = [
            self._part(premises[at : at + _AT_ONCE], claims[at : at + _AT_ONCE])
            for at in range(0, len(claims), _AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    def _part(self, premises: Sequence[str], claims: Sequence[str]) -> Floats:
        """The values of a part. After a failure its halves are asked, so that only pairs that fail alone have none."""
        try:
            found = judgments(self.inner, premises, claims, self.session.ledger, self.session.reporter)
        except (MissingExtra, EnvironmentFailure):
            raise
        except ModelError as error:
            if len(claims) > 1:
                half = len(claims) // 2
                halves = ((premises[:half], claims[:half]), (premises[half:], claims[half:]))
                return np.concatenate([self._part(*one) for one in halves])
            self._failed, self._reason = self._failed + 1, self._reason or str(error)
            if not self._succeeded and self._failed >= _ENDLESS:
                raise
            return np.array([np.nan], np.float32)
        self._succeeded += len(claims)
        self.fresh, self.truncated = self.fresh + found.fresh, self.truncated + found.truncated
        return found.values
