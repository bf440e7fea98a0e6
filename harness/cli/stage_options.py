"""The options of the stages of training: synthesize, mine, teach, fit, merge, adapt, utility. Each once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from harness.cli.options import _flag, _option

Corpus = Annotated[
    str, _option("corpus", "A folder with corpus.jsonl, or any collection. Only its documents are used.")
]
PoolCorpus = Annotated[
    str | None, _option("corpus", "Where the pool's corpus is now. Default: where it was when it was mined.")
]
GeneratorSpec = Annotated[
    str,
    _option("generator", "extractive, a language model (folder or hub name), or chat:http://HOST:PORT/v1?model=NAME."),
]
ProfileName = Annotated[
    str | None,
    _option("profile", "web-zh, claim-en, generic/sw, ... or a TOML file; default: generic in the corpus's language."),
]
DocumentsAsked = Annotated[
    int | None, _option("documents", "Write queries for this number of documents. Default: all.", min=1)
]
Floor = Annotated[float, _option("floor", "The share of queries that must fit the profile.", min=0.0, max=1.0)]
Seed = Annotated[int, _option("seed", "The random seed. Another seed draws other documents.")]
StageFolder = Annotated[Path, _option("out", "The folder of this stage. A run that was killed continues there.")]
QueriesFile = Annotated[Path, _option("queries", "The folder of train synthesize, or a JSONL file with _id and text.")]
Retrievers = Annotated[
    list[str] | None,
    _option("retriever", "A first stage; name at least two. Default: bm25 and Qwen/Qwen3-Embedding-0.6B."),
]
PoolDepth = Annotated[int, _option("depth", "Candidates from each retriever.", min=1)]
PoolFolder = Annotated[Path, _option("pool", "The folder of train mine.")]
Teachers = Annotated[list[str] | None, _option("teacher", "A reranker or an embedder. Repeatable.")]
Weights = Annotated[
    list[float] | None, _option("weight", "The weight of each teacher, in their order. Default: equal weights.")
]
StudentLength = Annotated[
    int | None,
    _option("max-length", "The student's maximum length in tokens. The teacher's input is cut there too.", min=1),
]
SamplingName = Annotated[
    Literal["stratified", "top", "random"], _option("sampling", "How documents are chosen from the pool.")
]
ExampleDocuments = Annotated[int, _option("per-query", "Documents per example.", min=2)]
Bins = Annotated[int, _option("bins", "The number of strata of the teacher's scores.", min=1)]
BinScope = Annotated[
    Literal["global", "query"],
    _option("bin-scope", "Whether strata are over the scores of all queries, or of each query."),
]
DropAbove = Annotated[
    float | None,
    _option(
        "drop-above",
        "Drop documents above this share of the source document's score, such as 0.95. Default: drop none.",
    ),
]
ScoreMap = Annotated[
    Literal["none", "standard", "logistic", "unit"], _option("map", "Write scores on another scale. Their order stays.")
]
TaskName = Annotated[str | None, _option("task", "The task's name in the examples. Default: the name of the corpus.")]
TeacherFacts = Annotated[
    Path | None, _option("teacher-facts", "A TOML file with the licence and the training sets of each teacher.")
]
Base = Annotated[str | None, _option("base", "The checkpoint to train: a folder or a hub name.")]
FitData = Annotated[
    list[Path] | None,
    _option("data", "Examples with scores: .jsonl, .parquet, triples as .tsv, or a BEIR folder. Repeatable."),
]
FitOut = Annotated[
    Path | None, _option("out", "The folder of the trained checkpoint. It appears when training is complete.")
]
Replay = Annotated[Path | None, _option("replay", "General examples to mix in, against forgetting.")]
SaveEvery = Annotated[int | None, _option("save-every", "Save a checkpoint in OUT.steps every N steps.", min=1)]
LimitExamples = Annotated[
    int | None, _option("limit", "Use only the first examples of each file, up to this number.", min=1)
]
NegativesFrom = Annotated[
    str, _option("negatives", "Where the negatives of a BEIR folder come from: a retriever, or run:FILE.")
]
PrintCost = Annotated[bool, _flag("print-cost", "Print what training would cost, and stop. A few steps are tried.")]
ConvertedModel = Annotated[
    str, typer.Argument(help="The model whose weights are pickled: a folder or a hub name.", show_default=False)
]
ConvertedOut = Annotated[Path, typer.Argument(help="The new folder. It must not exist yet.", show_default=False)]
MergePaths = Annotated[
    list[Path], typer.Argument(help="CONFIG.yaml OUT, or OUT alone with --method.", show_default=False)
]
MergeMethod = Annotated[
    str | None, _option("method", "The method, where there is no recipe: slerp, linear, model_stock, ...")
]
MergeModels = Annotated[list[str] | None, _option("model", "A checkpoint to merge: a path or a hub name. Repeatable.")]
MergeBase = Annotated[str | None, _option("base", "The base. Default for slerp: the first --model.")]
MergeT = Annotated[float | None, _option("t", "How far slerp goes: 0 is the base, 1 the other model.")]
MergeWeights = Annotated[
    list[float] | None, _option("weight", "The weight of each --model, in that order. Repeatable.")
]
MergeDtype = Annotated[
    Literal["bfloat16", "float16", "float32"] | None,
    _option("dtype", "The number format of the output. Default: that of the base."),
]
ShardMegabytes = Annotated[
    int | None, _option("shard-mb", "Split the weights into files of this size. Default: as the base does.", min=1)
]
StudentBase = Annotated[str | None, _option("base", "The student: a folder or a hub name of a cross-encoder.")]
SyntheticQueries = Annotated[
    Path | None, _option("queries", "Synthetic queries: a folder of train synthesize, or a JSONL file.")
]
SyntheticCorpus = Annotated[str | None, _option("corpus", "The corpus that the synthetic queries were written from.")]
RealQueries = Annotated[str | None, _option("real", "A collection with human judgments to train on.")]
RealSplit = Annotated[str, _option("real-split", "The split of its judgments.")]
WrongQueries = Annotated[Path | None, _option("wrong", "Synthetic queries of another domain.")]
WrongCorpus = Annotated[str | None, _option("wrong-corpus", "The corpus that those were written from.")]
OneTeacher = Annotated[str | None, _option("teacher", "A reranker or an embedder.")]
TestCollection = Annotated[str | None, _option("test", "The judged collection that all are measured on.")]
TestSplit = Annotated[str | None, _option("test-split", "The split of its judgments. Default: test.")]
StudentSeeds = Annotated[int, _option("seeds", "The number of trainings of every arm.", min=1)]
QueriesEach = Annotated[
    int | None, _option("queries-each", "Use at most this number of queries of every set. Default: all.", min=1)
]
CandidatesDepth = Annotated[int, _option("pool-depth", "Candidates from each retriever in the pools.", min=1)]
TestFirstStage = Annotated[
    str, _option("first-stage", "The first stage whose candidates are reranked: a spec, 'given', or 'run:FILE'.")
]
TestMeasure = Annotated[
    str | None, _option("measure", "A measure such as nDCG@10. Default: the main measure of the test collection.")
]
CountCost = Annotated[bool, _flag("print-cost", "Print what it would cost at most, and stop.")]
UtilityOut = Annotated[
    Path | None, _option("out", "The folder of the ablation. A run that was killed continues there.")
]
AdaptationFolder = Annotated[
    Path, typer.Argument(help="The --out of train adapt, or a record.json.", show_default=False)
]
AdaptationPage = Annotated[
    Path | None, _option("out", "The folder for adaptation.html, adaptation.md and their figures.")
]
AdaptedOn = Annotated[
    list[str] | None,
    _option(
        "adapted-on", "The name of a corpus that the examples were made from, where no manifest names it. Repeatable."
    ),
]
AdaptCorpora = Annotated[
    list[str] | None,
    _option("corpus", "What to adapt to: a folder with corpus.jsonl, or the documents of any collection. Repeatable."),
]
AdaptBase = Annotated[str | None, _option("base", "The cross-encoder to adapt: a folder or a hub name.")]
AdaptGenerator = Annotated[
    str, _option("generator", "extractive, a language model, or chat:http://HOST:PORT/v1?model=NAME.")
]
AdaptProfiles = Annotated[
    list[str] | None,
    _option("profile", "The kind of queries to write for every corpus. Default: generic in its language. Repeatable."),
]
DevTarget = Annotated[str | None, _option("dev", "The collection that proposals are chosen on.")]
DevSplit = Annotated[str | None, _option("dev-split", "The split of its judgments.")]
AdaptPolicy = Annotated[
    Path | None, _option("gate", "The gate's policy. Where it names no targets, the dev collection is used.")
]
GateSplit = Annotated[
    str | None, _option("gate-split", "The split of the judgments of the gate's targets. Default: as --dev-split.")
]
FinalTarget = Annotated[
    str | None, _option("final", "The collection of the last look. Default: the final tier of the gate's targets.")
]
FinalSplit = Annotated[str | None, _option("final-split", "The split of its judgments.")]
SourceTarget = Annotated[
    str | None, _option("source", "A collection of the domain that the base comes from, to measure what was forgotten.")
]
AdaptOut = Annotated[Path | None, _option("out", "The folder of the run. A run that was killed continues there.")]
GeneralData = Annotated[
    list[str] | None,
    _option("general", "General ranking data. Stage 1 is trained on it, and it is replayed. Repeatable."),
]
GeneralLoss = Annotated[
    Literal["hinge", "margin-mse", "bce", "mse", "ranknet", "lambda", "listnet", "adr-mse", "kl"],
    _option("general-loss", "The loss of stage 1."),
]
GeneralEpochs = Annotated[int, _option("general-epochs", "The number of epochs of stage 1.", min=1)]
Ingredients = Annotated[
    list[str] | None, _option("ingredient", "A checkpoint that is added to every merge. Repeatable.")
]
SingleSeeds = Annotated[
    int | None,
    _option("seeds", "The number of trainings of every task. Default: 2 with one task, 1 with several.", min=1),
]
DespiteTeacher = Annotated[
    bool, _flag("despite-teacher", "Continue with a teacher that is not better than its student on dev.")
]
LeakThreshold = Annotated[
    float,
    _option(
        "leak-threshold", "Remove queries that share at least this part of their trigrams with an evaluation query."
    ),
]
ReleaseName = Annotated[
    str | None, _option("release", "The release whose looks are counted. It has precedence over the policy's.")
]
