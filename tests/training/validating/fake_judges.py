"""Rerankers whose scores are in the documents: `... good=3 poor=1`."""

from __future__ import annotations

from tests.fake_adapters import Plain


class Judge(Plain):
    """Scores a document by the number after its column."""

    def __init__(self, *, column: str = "good", log: str | None = None) -> None:
        super().__init__(log=log)
        self.identity = {"adapter": "judge", "column": column}
        self._column = column

    def _value(self, query: str, document: str) -> float:
        return float(document.split(f"{self._column}=")[1].split()[0])


SPEC = f"{__name__}:Judge"
