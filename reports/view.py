"""The display options of tables: which columns, the order of the measures, the names of the systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.measuring.measures import stored_name
from harness.result.keys import FIRST_STAGE
from harness.result.store import Results
from reports.columns import COLUMNS, Column, choose
from reports.systems_file import display_names, read_systems


@dataclass(frozen=True)
class View:
    """Display options. They change no figure, test or correction."""

    columns: tuple[Column, ...] | None = None
    """The columns of the tables of systems; None for the default."""
    measures: tuple[str, ...] = ()
    """The measures in the wanted order; empty for main measures first."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Display names by label."""

    def system(self, label: str) -> str:
        """The name of a system in tables."""
        return self.names.get(label, label)

    def first_stage(self, spec: str) -> str:
        """The name of a first stage in a separate column."""
        return self.system(spec + FIRST_STAGE).removesuffix(FIRST_STAGE)


PLAIN = View()


def view_of(
    columns: str | None,
    measures: Sequence[str],
    file: Path | None,
    workspace: Path,
    *,
    labels: Sequence[str] = (),
    known: Mapping[str, Column] = COLUMNS,
) -> View:
    """The view that the options of a command describe.

    Args:
        columns: see `reports.columns.choose`.
        measures: the measures in the wanted order.
        file: a file with display names, see `reports.systems_file`; None for no such names.
        workspace: the workspace whose systems may be named.
        labels: more systems that may be named. Default: none.
        known: the columns that may be named. Default: `COLUMNS`.

    Raises:
        UsageError: a column or a system is unknown, or two systems would have the same name.
    """
    chosen, asked = choose(columns, known), tuple(map(stored_name, measures))
    if file is None:
        return View(chosen, asked)
    systems = list(dict.fromkeys([*labels, *stored_labels(workspace)]))
    return View(chosen, asked, display_names(file, read_systems(file, systems), systems))


def stored_labels(workspace: Path) -> list[str]:
    """The labels of the systems of a workspace; empty if it has no results."""
    if not (workspace / "results.sqlite").is_file():
        return []
    with Results(workspace / "results.sqlite") as results:
        labels = (one.reranker or one.first_stage + FIRST_STAGE for one in results.all())
        return list(dict.fromkeys(labels))
