"""The report folder of a run: what was run, the tables, the alarms, and how to reproduce the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.result.environment import environment
from harness.result.evaluation import Evaluation
from harness.result.export import write_results
from harness.result.stemming import notes as bm25_notes
from harness.result.stemming import of_evaluations
from harness.workspace import write_atomically
from reports.table import Table, comma_separated, escaped, markdown
from reports.tables.run import alarms, audit_table, comparison_tables, controls_table, declared_notes, described
from reports.tables.run_values import as_dict
from reports.view import PLAIN, View


def write_report(
    out: Path, evaluations: Sequence[Evaluation], command: str, *, skipped: Sequence[str] = (), view: View = PLAIN
) -> None:
    """Write report.md, tables/*.csv, results.json and runs/*.trec. Existing files with these names are replaced.

    Args:
        out: the folder.
        evaluations: the results of the run.
        command: the command line of the run.
        skipped: lines about targets that `--language` left out. Default: none.
        view: columns, order and names of the tables.
    """
    tables = out / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    for stale in tables.glob("[0-9][0-9].csv"):  # from an earlier report with more tables
        stale.unlink()
    write_results(out, evaluations, as_dict(evaluations, skipped, view))
    shown, audit = comparison_tables(evaluations, view), audit_table(evaluations, view)
    for number, table in enumerate([*shown, audit], 1):
        _write(tables / f"{number:02d}.csv", comma_separated(table))
    _write(out / "report.md", _story(evaluations, command, [*shown, audit], skipped, view))


def _write(file: Path, text: str) -> None:
    with write_atomically(file) as unfinished:
        unfinished.write_text(text, "utf-8")


def _story(
    evaluations: Sequence[Evaluation], command: str, tables: Sequence[Table], skipped: Sequence[str], view: View
) -> str:
    all_of = list({evaluation.collection.fingerprint: evaluation.collection for evaluation in evaluations}.values())
    raised = alarms(evaluations, view)
    about = [*declared_notes(all_of), *bm25_notes(of_evaluations(evaluations)), *map(described, all_of), *skipped]
    parts = [
        "# Results",
        f"Made by `{command}`.",
        "\n".join(f"- {escaped(line)}" for line in about),
        *map(markdown, tables[:-1]),
        "## Alarms",
        "\n".join(f"- {escaped(alarm)}" for alarm in raised) or "None.",
        "## Audit",
        markdown(tables[-1]),
        markdown(controls_table(evaluations)),
        "## What made these numbers",
        _made_by(evaluations, view),
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _made_by(evaluations: Sequence[Evaluation], view: View) -> str:
    here = environment()
    packages = here["packages"]
    versions = ", ".join(f"{k} {v}" for k, v in packages.items() if v) if isinstance(packages, dict) else ""
    machine = f"Python {here['python']} on {here['machine']}; {versions}."
    names = [
        escaped(f"{e.collection.name}, {view.system(e.system.label)}, depth {e.system.depth}") for e in evaluations
    ]
    lines = [f"- `{e.id}`: {name}" for e, name in zip(evaluations, names, strict=True)]
    return "\n".join([machine, "", "Every id names one evaluation; `harness show ID` prints its details.", "", *lines])
