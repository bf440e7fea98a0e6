"""The commands `harness cite` and `harness cite ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.app import MEASURE, VerbsWithDefault, group
from harness.cli.options import _flag, _option

_DEFAULT = "evaluate"


class _CiteVerbs(VerbsWithDefault):
    default = _DEFAULT


cite = group(
    MEASURE,
    "cite",
    "Evaluate the citations of generated answers (harness cite ANSWERS --judge SPEC), refine and compare them.\n\n"
    "harness cite ANSWERS is short for harness cite evaluate ANSWERS.",
    _CiteVerbs,
)

AnswersFile = Annotated[
    Path,
    typer.Argument(
        help="Answers with citation marks: JSON lines of id, question, answer and references; ALCE's results; "
        "WebGLM-QA; ExpertQA; TREC RAG."
    ),
]
CiteJudge = Annotated[
    str,
    _option("judge", "A judge: nli:MODEL, seq2seq:MODEL, reranker:SPEC, chat:URL, lexical, recorded:FILE."),
]
NeedJudge = Annotated[
    str | None, _option("need-judge", "A judge that says which statements need support. Default: all do.")
]
PassagesFile = Annotated[
    Path | None, _option("passages", "JSON lines with the texts of documents, for answers that only name them.")
]
Most = Annotated[int, _option("most", "The largest number of documents that are judged together.", min=1)]
Graded = Annotated[bool, _flag("graded", "Count partial support one half.")]
GeneratorSpec = Annotated[str, _option("generator", "A language model that answers: a folder, a hub name or chat:URL.")]
Top = Annotated[
    int, _option("top", "The number of passages that the generator reads, the first ones of each query.", min=1)
]
FewQueries = Annotated[
    int | None, _option("queries", "Answer only this number of queries, always the same ones.", min=1)
]
