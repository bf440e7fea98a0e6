"""The command `harness check`."""

from __future__ import annotations

from typing import Annotated

import typer

from adapters.errors import ModelError
from harness.cli import dtype_options, options
from harness.cli.app import MEASURE
from harness.cli.printing import print_answer, print_json
from harness.cli.verb import verb


@verb(
    MEASURE,
    epilog="""Examples:

    harness check BAAI/bge-reranker-v2-m3

    harness check ./checkpoint-1000 --reference sentence-transformers

    harness check ./checkpoint-1000 miracl/sw --pairs 500 --json

    harness check ./checkpoint-1000 ./xquad --dtype bfloat16""",
)
def check(  # noqa: PLR0917
    system: Annotated[str, typer.Argument(help="The spec of a reranker.")],
    targets: options.CheckTargets = None,
    first_stage: options.FirstStage = None,
    depth: options.Depth = 10,
    pairs: options.CheckPairs = 200,
    sample_queries: options.SampleQueries = None,
    languages: options.TargetLanguages = None,
    parallel: options.Parallel = None,
    reference: options.Reference = None,
    dtype: dtype_options.CheckDtype = None,
    workspace: options.WorkspacePath = None,
    as_json: options.AsJson = False,
) -> None:
    """Check that a reranker gives the same scores to the same pairs, however they are batched and ordered.

    A few pairs are scored again: shuffled, alone, in other batches, precisions and lengths. The scores are compared
    with the stored ones. Without a target, the pairs come from the embedded sample. The exit code is 0 for OK and
    suspicious, 3 for broken.

    A listwise reranker orders its lists again, and shuffled.
    """
    from harness import api
    from harness.progress import Terminal

    found = api.check(
        system,
        *(targets or ()),
        first_stage=first_stage,
        depth=depth,
        pairs=pairs,
        sample_queries=sample_queries,
        languages=languages,
        parallel=parallel,
        reference=reference,
        dtype=dtype,
        workspace=workspace,
        reporter=Terminal(),
    )
    if as_json:
        print_json(found.as_dict())
    else:
        print_answer(found)
    if found.verdict == "broken":
        raise typer.Exit(ModelError.exit_code)
