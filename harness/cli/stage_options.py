"""The options of the training commands, each defined once: synthesize, mine, teach, fit, merge, adapt, utility."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli.options import _flag, _option

Corpus = Annotated[
    str, _option("corpus", "A folder with corpus.jsonl, or any collection. Only its documents are used.")
]
PoolCorpus = Annotated[
    str | None, _option("corpus", "The current path of the pool's corpus. Default: the path when the pool was mined.")
]
ProfileName = Annotated[
    str | None,
    _option(
        "profile",
        "The kind of queries to write: a packaged profile such as web-zh, claim-en or generic/sw, or a TOML file. "
        "Default: generic in the language of the corpus.",
    ),
]
StageFolder = Annotated[Path, _option("out", "The folder of this stage. A killed run continues there.")]
AskedQueries = Annotated[
    str,
    _option(
        "queries",
        "The folder of train synthesize, a JSONL file with _id and text, or a collection whose questions are asked.",
    ),
]
AskedSplit = Annotated[
    str | None,
    _option(
        "queries-split", "The split whose questions are asked, such as train. Needed if --queries is a collection."
    ),
]
AskedSample = Annotated[
    int | None,
    _option(
        "sample-queries",
        "Ask only this number of the collection's questions, always the same ones. Default: all.",
        min=1,
    ),
]
PoolFolder = Annotated[Path, _option("pool", "The folder of train mine.")]
StudentLength = Annotated[
    int | None,
    _option(
        "max-length", "The student's maximum length in tokens. The teacher's input is truncated to it, too.", min=1
    ),
]
ChooseOn = Annotated[
    str | None,
    _option(
        "choose-on",
        "A judged collection. The weights of the teachers are chosen on its dev queries. Default: not chosen; see "
        "--weight.",
    ),
]
ChooseSplit = Annotated[
    str | None, _option("choose-split", "The split of --choose-on, such as dev. Needed with it; test is refused.")
]
TaskName = Annotated[str | None, _option("task", "The task's name in the examples. Default: the name of the corpus.")]
Base = Annotated[str | None, _option("base", "The checkpoint to train: a folder or a hub name. Needed.")]
FitData = Annotated[
    list[str] | None,
    _option(
        "data",
        "Examples with scores: .jsonl, .json, .parquet, .tsv, a folder, a collection such as miracl/sw, or a data set "
        "of the hub as owner/name. Needed. Repeatable.",
    ),
]
MixWeights = Annotated[
    list[float] | None,
    _option(
        "mix-weight",
        "The weight of each --data, in the same order: how much of an epoch it is, "
        "relative to the others. Default: every "
        "example once. Repeatable.",
    ),
]
MixTemperature = Annotated[
    float | None,
    _option(
        "mix-temperature",
        "Mix by size: a --data with n examples gets a share in proportion to n^(1/X). A larger X makes the shares more "
        "equal. Default: every example once.",
    ),
]
MixFile = Annotated[
    Path | None,
    _option("mix", "A TOML file of [[source]] tables, instead of --data: data, weight, limit, instruction."),
]
FitOut = Annotated[
    Path | None, _option("out", "The folder of the trained checkpoint. It appears when training is complete. Needed.")
]
Replay = Annotated[
    str | None,
    _option(
        "replay", "General examples to mix in, so that the model does not forget; read as --data is. Default: none."
    ),
]
LimitExamples = Annotated[
    int | None, _option("limit", "Use only the first N examples of each --data. Default: all.", min=1)
]
PushToHub = Annotated[
    str | None,
    _option(
        "push-to-hub",
        "Upload the checkpoint to this repository of the Hugging Face Hub. A new one is private. Default: no upload.",
    ),
]
PrintCost = Annotated[bool, _flag("print-cost", "Print what training would cost, and stop. A few steps are timed.")]
ConvertedModel = Annotated[
    str, typer.Argument(help="The model whose weights are pickled: a folder or a hub name.", show_default=False)
]
ConvertedOut = Annotated[Path, typer.Argument(help="The new folder. It must not exist yet.", show_default=False)]
MergePaths = Annotated[
    list[Path], typer.Argument(help="CONFIG.yaml OUT, or OUT alone with --method.", show_default=False)
]
MergeMethod = Annotated[
    str | None,
    _option("method", "The method, if there is no recipe: slerp, linear, ties, ... (docs/merging.md lists all)."),
]
MergeModels = Annotated[list[str] | None, _option("model", "A checkpoint to merge: a path or a hub name. Repeatable.")]
MergeBase = Annotated[str | None, _option("base", "The base. Default for slerp: the first --model.")]
MergeT = Annotated[
    float | None, _option("t", "How far slerp goes: 0 is the base, 1 the other model. Needed for slerp.")
]
MergeWeights = Annotated[
    list[float] | None,
    _option("weight", "The weight of each --model, in the same order. Default: 1 for each. Repeatable."),
]
MergeDtype = Annotated[
    Literal["bfloat16", "float16", "float32"] | None,
    _option("dtype", "The number format of the output. Default: that of the base."),
]
ShardMegabytes = Annotated[
    int | None,
    _option("shard-mb", "Split the weights into files of this number of megabytes. Default: as the base does.", min=1),
]
RealSplit = Annotated[str, _option("real-split", "The split of the judgments of --real.")]
WrongCorpus = Annotated[
    str | None, _option("wrong-corpus", "The corpus that the queries of --wrong were written from.")
]
CountCost = Annotated[bool, _flag("print-cost", "Print the highest possible cost, and stop.")]
SearchOut = Annotated[Path | None, _option("out", "The folder of the search. A killed search continues there. Needed.")]
UtilityOut = Annotated[Path | None, _option("out", "The folder of the results. A killed run continues there. Needed.")]
AdaptationFolder = Annotated[
    Path, typer.Argument(help="The --out of train adapt, or a record.json.", show_default=False)
]
AdaptationPage = Annotated[
    Path | None, _option("out", "The folder for adaptation.html, adaptation.md and their figures.")
]
AdaptedOn = Annotated[
    list[str] | None,
    _option(
        "adapted-on", "The name of a corpus that the examples were made from, if no manifest names it. Repeatable."
    ),
]
AdaptOut = Annotated[Path | None, _option("out", "The folder of the run. A killed run continues there. Needed.")]
