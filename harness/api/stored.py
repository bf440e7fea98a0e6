"""The call that reads the results store: `harness.results`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.errors import UsageError
from harness.api import arguments

if TYPE_CHECKING:
    import pandas as pd


class LeftOutWarning(UserWarning):
    """A selection leaves out stored results."""


def results(
    *,
    systems: str | Sequence[str] | None = None,
    collections: str | Sequence[str] | None = None,
    languages: str | Sequence[str] | None = None,
    measures: str | Sequence[str] | None = None,
    intervals: bool = False,
    per_query: bool = False,
    workspace: str | Path | None = None,
) -> pd.DataFrame:
    """Return stored results as a frame: one row per system, collection and measure. No model is run.

    Results that the selection leaves out (older ones, samples of whole collections) are counted in
    `attrs["left_out"]`, and a `LeftOutWarning` says how to get them.

    Args:
        systems: names, globs or ids; see docs/names.md. The first stage of each is included. Default: all.
        collections: names, suites, sets, groups, globs such as `miracl/*`, or the first digits of a fingerprint.
            Default: all.
        languages: only these. Default: all.
        measures: only these. Default: all.
        intervals: add columns with the 95 % intervals and the test of the difference. Default: False.
        per_query: return one row per query instead. Default: False.
        workspace: the folder with the results. Default: HARNESS_WORKSPACE, else `./.harness`.

    Returns:
        A frame; values are fractions. Its columns are those of `harness export`.

    Raises:
        HarnessError: there are no results, or a name matches none.
        MissingExtra: pandas is not installed.

    Examples:
        >>> import harness
        >>> _ = harness.run("demo/en", first_stage="bm25", rerankers="control:oracle", depth=10)
        >>> frame = harness.results(systems="control:oracle")
        >>> frame[["system", "collection", "measure", "value"]].round(4).values.tolist()[-1]
        ['control:oracle', 'demo/en', 'nDCG@10', 0.764]
    """
    from harness.result.gathered import view
    from reports.tidy import frame, tidy, tidy_per_query, with_left_out

    if per_query and intervals:
        raise UsageError("a single query has no interval; leave out intervals or per_query")
    path = arguments.workspace_of(workspace)
    shown = view(
        path,
        arguments.names_of("systems", systems),
        arguments.names_of("collections", collections),
        arguments.names_of("languages", languages),
        arguments.names_of("measures", measures),
    )
    for line in shown.left_out.lines:
        warnings.warn(line, LeftOutWarning, stacklevel=2)
    table = tidy_per_query(shown.results) if per_query else tidy(shown.results, intervals=intervals)
    return frame(with_left_out(table, shown.left_out))
