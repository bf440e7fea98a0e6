"""The report folder of a run: what was run, the tables, the alarms, and how to reproduce the numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.result.result import Result
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_stored
from harness.workspace import write_atomically
from reports.table import Table, comma_separated, escaped, markdown
from reports.tables.run import (
    alarms,
    audit_table,
    collections_of,
    comparison_tables,
    controls_table,
    declared_notes,
    described,
)
from reports.view import PLAIN, View


def write_report(
    out: Path,
    results: Sequence[Result],
    command: str,
    *,
    document: Mapping[str, object],
    skipped: Sequence[str] = (),
    view: View = PLAIN,
) -> None:
    """Write report.md, tables/*.csv and results.json. Existing files with these names are replaced.

    Args:
        out: the folder.
        results: the results of the run.
        command: the command line of the run.
        document: the content of results.json; see `reports.tables.run_values`.
        skipped: lines about targets that `--language` left out. Default: none.
        view: columns, order and names of the tables.
    """
    tables = out / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    for stale in tables.glob("[0-9][0-9].csv"):  # from an earlier report with more tables
        stale.unlink()
    _write(out / "results.json", json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    shown, audit = comparison_tables(results, view), audit_table(results, view)
    for number, table in enumerate([*shown, audit], 1):
        _write(tables / f"{number:02d}.csv", comma_separated(table))
    _write(out / "report.md", _story(results, command, [*shown, audit], skipped, view))


def _write(file: Path, text: str) -> None:
    with write_atomically(file) as unfinished:
        unfinished.write_text(text, "utf-8")


def _story(results: Sequence[Result], command: str, tables: Sequence[Table], skipped: Sequence[str], view: View) -> str:
    raised, stemming = alarms(results, view), bm25_notes(of_stored(one.stored for one in results))
    about = [*declared_notes(results), *stemming, *map(described, collections_of(results)), *skipped]
    parts = [
        "# Results",
        f"Made by `{command}`.",
        "\n".join(f"- {escaped(line)}" for line in about),
        *map(markdown, tables[:-1]),
        "## Alarms",
        "\n".join(f"- {escaped(alarm)}" for alarm in raised) or "None.",
        "## Audit",
        markdown(tables[-1]),
        markdown(controls_table(results)),
        "## What made these numbers",
        _made_by(results, view),
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _made_by(results: Sequence[Result], view: View) -> str:
    here = results[0].stored.environment
    versions = ", ".join(f"{name} {version}" for name, version in here.packages.items() if version)
    machine = f"Python {here.python} on {here.machine}; {versions}."
    names = {
        one.id: f"{one.collection.name}, {view.system(one.system.label)}, depth {one.system.depth}" for one in results
    }
    lines = [f"- `{id}`: {escaped(name)}" for id, name in names.items()]
    return "\n".join([machine, "", "Every id names one evaluation; `harness show ID` prints its details.", "", *lines])
