"""The command `harness export`."""

from __future__ import annotations

import typer

from adapters.errors import UsageError
from harness.cli import options
from harness.cli.app import SHOW
from harness.cli.printing import check_file, existing_workspace, print_left_out
from harness.cli.verb import verb


@verb(
    SHOW,
    epilog="""Examples:

    harness export --parquet results.parquet

    harness export ./checkpoint-1000 --collection miracl --per-query --csv queries.csv""",
)
def export(  # noqa: PLR0917
    systems: options.SystemNames = None,
    parquet: options.ParquetFile = None,
    csv: options.CsvFile = None,
    collections: options.BoardCollections = None,
    languages: options.Languages = None,
    measures: options.OnlyMeasures = None,
    per_query: options.PerQuery = False,
    intervals: options.ColumnIntervals = False,
    workspace: options.WorkspacePath = None,
) -> None:
    """Write stored results as a tidy table with one row per system, collection and measure, or per query.

    Values are fractions. What the selection leaves out is counted on stderr, and in the metadata of a Parquet file.
    """
    from harness.result.gathered import view
    from reports.tidy import tidy, tidy_per_query, with_left_out, write_csv, write_parquet

    if parquet is None and csv is None:
        raise UsageError("name a file to write: --parquet FILE or --csv FILE")
    if "-" in map(str, (parquet, csv)):
        raise UsageError("a file is written, not standard output; for a pipe write --csv /dev/stdout")
    if per_query and intervals:
        raise UsageError("a single query has no interval; leave out --intervals or --per-query")
    for file in (parquet, csv):
        check_file(file)
    path = existing_workspace(workspace)
    shown = view(path, systems or (), collections or (), languages or (), measures or ())
    table = tidy_per_query(shown.results) if per_query else tidy(shown.results, intervals=intervals)
    table = with_left_out(table, shown.left_out)
    for file, write in ((parquet, write_parquet), (csv, write_csv)):
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            write(table, file)
            typer.echo(f"written: {file}: {table.num_rows:,} rows")
    print_left_out(shown.left_out)
