"""Rows with numbers of their own and rows without, which must not be mixed: 1 and 0 have another scale than scores."""

from __future__ import annotations

from adapters.errors import DataError

_GRADES = {0.0, 1.0}


class Scales:
    """What the rows of one source have had for labels until now."""

    def __init__(self) -> None:
        self._scored: str | None = None
        self._plain: str | None = None
        self._given: str | None = None
        self._pair: str | None = None
        self._margins: str | None = None
        self._absolute: str | None = None

    def given(self, where: str, scores: list[float], *, are_margins: bool = False) -> None:
        """Note a row with labels or scores of its own.

        Args:
            where: `file:line`.
            are_margins: whether they are differences to the positive text, which has 0.

        Raises:
            DataError: they are not all 1 or 0, and an earlier row became 1 and 0; or an earlier text without a label
                became 1; or only one of this row and an earlier one has margins.
        """
        if self._pair:
            raise _mixed(self._pair, where)
        other = self._absolute if are_margins else self._margins
        if other:
            margins, absolute = (where, other) if are_margins else (other, where)
            raise DataError(
                f"{where}: {margins} has margins (one number for each negative text), but {absolute} has a number for "
                "every text; write the two kinds into two sources"
            )
        if are_margins:
            self._margins = self._margins or where
        else:
            self._absolute = self._absolute or where
        self._given = self._given or where
        if not {*scores} <= _GRADES:
            if self._plain:
                raise _mixed(self._plain, where)
            self._scored = self._scored or where

    def made(self, where: str, *, is_one_sided: bool) -> None:
        """Note a row without numbers, whose texts become 1 and 0.

        Args:
            where: `file:line`.
            is_one_sided: whether it has only relevant texts, as a pair whose label is missing.

        Raises:
            DataError: an earlier row has scores; or the row is one-sided and an earlier one has labels.
        """
        other = self._given if is_one_sided else self._scored
        if other:
            raise _mixed(where, other)
        self._plain = self._plain or where
        if is_one_sided:
            self._pair = self._pair or where


def _mixed(plain: str, scored: str) -> DataError:
    return DataError(
        f"{plain}: the row has no label or score, but {scored} has; give every row of a source its scores, or none, or "
        "write the two kinds into two sources"
    )
