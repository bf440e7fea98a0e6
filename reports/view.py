"""How a reader wants the tables: which columns, the measures in which order, the systems under which names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.result.keys import FIRST_STAGE
from harness.result.store import Results
from reports.columns import COLUMNS, Column, choose
from reports.systems_file import display_names, read_systems


@dataclass(frozen=True)
class View:
    """Changes what is shown, and no figure, test or correction."""

    columns: tuple[Column, ...] | None = None
    """Of the tables of systems; None for the default ones."""
    measures: tuple[str, ...] = ()
    """As they were asked for; empty for the main ones first."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Display names by label."""

    def system(self, label: str) -> str:
        """What a table calls a system."""
        return self.names.get(label, label)

    def first_stage(self, spec: str) -> str:
        """What a table calls a first stage in a column of its own."""
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
    """The view that the options of a verb ask for.

    Args:
        columns: see `reports.columns.choose`.
        file: with display names; see `reports.systems_file`.
        labels: systems that may be named besides those of the workspace.
        known: the columns that may be named.

    Raises:
        UsageError: a column or a system is unknown, or two systems would have one name.
    """
    chosen = choose(columns, known)
    if file is None:
        return View(chosen, tuple(measures))
    systems = list(dict.fromkeys([*labels, *stored_labels(workspace)]))
    return View(chosen, tuple(measures), display_names(file, read_systems(file, systems), systems))


def stored_labels(workspace: Path) -> list[str]:
    """The systems of a workspace as tables call them; none where nothing is stored."""
    if not (workspace / "results.sqlite").is_file():
        return []
    with Results(workspace / "results.sqlite") as results:
        found = (one.reranker or one.first_stage + FIRST_STAGE for one in results.all())
        return list(dict.fromkeys(found))
