"""The command `harness judge import`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from harness.cli import label_options, options
from harness.cli.help import Verb
from harness.cli.judge import judge
from harness.cli.printing import print_json, print_table


@judge.command(
    "import",
    cls=Verb,
    epilog="""Examples:

    harness judge import labels.csv --target ./scifact --name pool-1

    harness judge import more.csv --target './scifact?labels=pool-1' --name pool-2

    harness judge import judged.qrels --target ./scifact --by judge:monot5 --name monot5""",
)
def judge_import(  # noqa: PLR0917
    file: Annotated[
        Path, typer.Argument(help="The labels that the page saved, the filled CSV, or a file of judgments.")
    ],
    target: label_options.LabelTarget,
    by: label_options.LabelledBy = "people",
    name: label_options.LabelName = None,
    replace: label_options.ReplaceLabels = False,
    split: options.Split = None,
    rules: options.RulesFile = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a new label version of a collection from labels of people or of a judge.

    The version is a target, TARGET?labels=NAME, for `harness run` and every other command. Its results do not mix with
    those of other versions. Labels of a judge are marked wherever their numbers are.
    """
    from harness import api
    from reports.tables.labels import imported_table

    found = api.judge_import(file, target, by, name, replace, split, rules, workspace)
    if as_json:
        plain = [{**asdict(one), "version": _without_labels(asdict(one.version))} for one in found]
        print_json(plain)
        return
    print_table(imported_table(found))


def _without_labels(version: dict[str, object]) -> dict[str, object]:
    return {key: version[key] for key in ("name", "fingerprint", "root")}
