"""The options of `harness gate` that no other verb has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli.options import _flag, _option

GateTargets = Annotated[
    list[str] | None, typer.Argument(help="What to decide on, as in harness run. Default: the policy's targets.")
]
Anchor = Annotated[
    str | None,
    _option(
        "anchor",
        "The system to compare the candidate with: a spec, or best-accepted. Default: the policy's, otherwise "
        "best-accepted.",
    ),
]
Candidate = Annotated[
    str | None, _option("candidate", "The reranker to judge, named by a spec. Needed, except with --plan.")
]
PolicyFile = Annotated[
    Path | None,
    _option("policy", "The policy, a TOML file. The command line has precedence. Default: ./gate.toml if it exists."),
]
Sequential = Annotated[
    bool, _flag("sequential", "Score random blocks of queries, and stop as soon as the answer is certain.")
]
OnlyGatePlan = Annotated[
    bool,
    _flag(
        "plan",
        "Print how many pairs and seconds a verdict will probably take, and what a pass would claim, and stop. Nothing "
        "is scored, and no look is taken.",
    ),
]
TierName = Annotated[
    Literal["dev", "gate", "final"],
    _option("tier", "The queries to use: dev prints figures and no verdict, gate spends a look, final confirms once."),
]
GateDepth = Annotated[
    int | None, _option("depth", "Candidates per query. Default: the policy's, otherwise 100.", min=1)
]
PrimaryMeasure = Annotated[
    str | None,
    _option(
        "measure",
        "The measure that decides. Default: the policy's, otherwise the main measure of each collection.",
    ),
]
Junit = Annotated[Path | None, _option("junit", "Write the verdict as JUnit XML to this file.")]
SummaryFile = Annotated[
    Path | None,
    _option(
        "summary", "Write the verdict as Markdown to this file. In GitHub Actions it also goes into the job's summary."
    ),
]
Accept = Annotated[
    bool, _flag("accept", "Mark a pass as accepted. Later candidates are compared with the best accepted system.")
]
AgainstAnchor = Annotated[
    Path | None,
    _option(
        "against",
        "Another workspace, with the stored results of the anchor. It is only read. Default: --workspace.",
    ),
]
