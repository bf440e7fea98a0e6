"""The commands `harness merge` and `harness merge ...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from adapters.errors import UsageError
from harness.cli import options, stage_options
from harness.cli.app import ADAPT, VerbsWithDefault, group
from harness.cli.help import Verb
from harness.cli.printing import print_json

if TYPE_CHECKING:
    from training.merging.merge import Merged


_DEFAULT = "checkpoints"


class _MergeVerbs(VerbsWithDefault):
    default = _DEFAULT


merging = group(
    ADAPT,
    "merge",
    "Merge checkpoints of one architecture (harness merge CONFIG OUT), or search for "
    "the best merge.\n\nharness merge CONFIG "
    "OUT is short for harness merge checkpoints CONFIG OUT.",
    _MergeVerbs,
)


@merging.command(
    _DEFAULT,
    cls=Verb,
    epilog="""Examples:

    harness merge recipe.yaml ./merged

    harness merge ./merged --method slerp --model ./checkpoint-a --model ./checkpoint-b --t 0.5

    harness merge ./soup --method linear --model ./a --model ./b --model ./c

The recipe is mergekit's YAML. The folder gets merge.json, merge-report.json and merge-report.md.""",
)
def merge(  # noqa: PLR0917
    paths: stage_options.MergePaths,
    method: stage_options.MergeMethod = None,
    models: stage_options.MergeModels = None,
    base: stage_options.MergeBase = None,
    t: stage_options.MergeT = None,
    weights: stage_options.MergeWeights = None,
    dtype: stage_options.MergeDtype = None,
    shard_mb: stage_options.ShardMegabytes = None,
    as_json: options.AsJson = False,
) -> None:
    """Merge checkpoints of one architecture, and report what was done to each tensor. The word can be left out.

    Tensors are read one at a time. Tensor names of different library versions are matched; checkpoints with different
    architectures are refused.
    """
    from harness import api

    recipe, out = _recipe_and_out(paths, method)
    merged = api.merge(
        out, recipe, method=method, models=list[str | Path](models or ()), base=base, t=t, weights=weights, dtype=dtype,
        shard_mb=shard_mb,
    )  # fmt: skip
    _report(merged, as_json)


def _recipe_and_out(paths: list[Path], method: str | None) -> tuple[Path | None, Path]:
    if len(paths) == 1 and method is not None:
        return None, paths[0]
    if len(paths) != 2:
        raise UsageError("give CONFIG.yaml and OUT, or OUT alone with --method and --model")
    return paths[0], paths[1]


def _report(merged: Merged, as_json: bool) -> None:
    if as_json:
        shown = {"path": str(merged.path), "id": merged.id, "new": merged.new, **merged.report}
        print_json(shown)
        return
    counts = merged.report["tensors_by_path"]
    assert isinstance(counts, dict)
    for path, count in counts.items():
        typer.echo(f"{count:>6,} tensors  {path}")
    notes = merged.report["notes"]
    for note in notes if isinstance(notes, list) else []:
        typer.echo(f"note: {note}")
    typer.echo(f"{'written' if merged.new else 'there already'}: {merged.path} ({merged.id[:8]}), see merge-report.md")
