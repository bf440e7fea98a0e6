"""The options of `train validate` that no other verb has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from harness.cli.options import _option

ValidatedQueries = Annotated[
    Path, _option("queries", "The folder of train synthesize, or a JSONL file with _id, text and document.")
]
ComparedQueries = Annotated[
    str | None,
    _option("real", "A collection of real queries to compare with; do not evaluate on it. Default: no comparison."),
]
ComparedSample = Annotated[
    int | None,
    _option("sample-queries", "Use only this number of real queries, always the same ones. Default: all.", min=1),
]
OtherDomain = Annotated[
    str | None,
    _option(
        "wrong",
        "Queries of another domain, for the scale: a collection, or a folder of synthetic queries. Default: no scale.",
    ),
]
EvaluatedOn = Annotated[
    list[str] | None,
    _option("evaluation", "A collection for later evaluations that the workspace does not know yet. Repeatable."),
]
ValidationEmbedder = Annotated[
    str | None,
    _option("embedder", "A dense first stage, for the figures that need vectors. Default: these figures are left out."),
]
ValidationRetrievers = Annotated[
    list[str] | None,
    _option(
        "retriever",
        "A first stage that is asked to find each query's own document. The teacher scores the candidates of the first "
        "one. Default: bm25 and the embedder. Repeatable.",
    ),
]
CheckedProfile = Annotated[
    str | None,
    _option(
        "profile",
        "Check the queries, whoever wrote them, against a profile: a packaged one such as claim-en, or a TOML file.",
    ),
]
ValidationStudent = Annotated[
    str | None, _option("student", "The reranker that the teacher must be better than. Default: none.")
]
ValidationTeachers = Annotated[
    list[str] | None,
    _option(
        "teacher",
        "A reranker or an embedder whose scores are compared with people's judgments. Default: none. Repeatable.",
    ),
]
ValidationDepth = Annotated[int, _option("depth", "Candidates per query in every search.", min=1)]
ValidationSeed = Annotated[
    int, _option("seed", "The random seed of what is drawn: halves, samples, folds and intervals.", min=0)
]
ValidationFolder = Annotated[
    Path | None,
    _option(
        "out",
        "A folder for the cleaned queries, the figures, validation.md and plots. Default: only print the figures.",
    ),
]
