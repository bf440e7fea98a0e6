"""The options of the command line, each once: its name, its line of help, and the environment variable of four."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from adapters.errors import UsageError, did_you_mean

VARIABLES = {name: f"HARNESS_{name.upper()}" for name in ("workspace", "mirror", "device", "json")}
"""The options that an environment variable sets too. None of them changes what is measured."""

_retired: dict[str, str] = {}
_LISTS = {"reranker": "rerankers", "measure": "measures", "language": "languages"}
_PARAMETERS = {**_LISTS, "json": "as_json"}
"""Keys of a configuration, which are named as the options are, and what the verbs call them."""


def _offline(mirror: Path | None) -> Path | None:
    if mirror is not None:  # the hub's client and the adapters read these when they are first used
        os.environ["HARNESS_MIRROR"] = str(mirror)
        os.environ["HF_HUB_OFFLINE"] = "1"
    return mirror


def _configured(context: typer.Context, file: Path | None) -> Path | None:
    if file is None:
        return None
    import tomllib

    try:
        settings: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as TOML ({error})") from None
    known = [str(parameter.name) for parameter in context.command.params if parameter.name not in ("config", "help")]
    names = {key: _PARAMETERS.get(key, key.replace("-", "_")) for key in settings}
    for key, name in names.items():
        if name not in known:
            keys = [{name: key for key, name in _PARAMETERS.items()}.get(name, name) for name in known]
            raise UsageError(f"{file}: unknown key '{key}'.{did_you_mean(key, keys)}")
    lists = ("targets", *_LISTS.values())
    context.default_map = {
        names[key]: [value] if names[key] in lists and isinstance(value, str) else value
        for key, value in settings.items()
    }
    return file


def retired_variables() -> list[str]:
    """One line for each variable that is set and that set an option in earlier releases."""
    return [
        f"{variable} is not read any more; write --{name}"
        for variable, name in sorted(_retired.items())
        if os.environ.get(variable)
    ]


def _flag(name: str, text: str) -> Any:
    return _option(name, text)


def _option(name: str, text: str, *, negative: str = "", **more: Any) -> Any:
    if name not in VARIABLES:
        _retired[f"HARNESS_{name.upper().replace('-', '_')}"] = name
    return typer.Option(f"--{name}{negative}", envvar=VARIABLES.get(name), help=text, **more)


Targets = Annotated[
    list[str] | None,
    typer.Argument(
        help="What to evaluate on: a suite or a part of one, a folder, a zip, a file of reranking rows, a folder of "
        "collections, or demo."
    ),
]
SuiteTargets = Annotated[list[str] | None, typer.Argument(help="Suites, or collections of suites.")]
FirstStage = Annotated[
    str | None,
    _option(
        "first-stage",
        "The first stage: a spec, 'given' for the candidates that the collection brings, or 'run:FILE'. Default: given "
        "where all targets bring candidates, else Qwen/Qwen3-Embedding-0.6B.",
    ),
]
Rerankers = Annotated[list[str] | None, _option("reranker", "A reranker, named by a spec. Repeatable.")]
Depth = Annotated[int, _option("depth", "Candidates per query.", min=1)]
Measures = Annotated[
    list[str] | None,
    _option(
        "measure",
        "A measure such as nDCG@10, AP@1000 or RR@10. Default: the main measure of each collection. Repeatable.",
    ),
]
Languages = Annotated[list[str] | None, _option("language", "Use only these. Repeatable.")]
TargetLanguages = Annotated[
    list[str] | None,
    _option(
        "language",
        "Evaluate only these languages. For a target that declares no language, this declares it. Repeatable.",
    ),
]
Parallel = Annotated[
    bool | None,
    _option(
        "parallel",
        "Whether queries with the same id in the collections of a set are one question in several languages. Default: "
        "as declared, else as detected.",
        negative="/--no-parallel",
        show_default=False,
    ),
]
Split = Annotated[str | None, _option("split", "The split of the judgments. Default: test, or the only one.")]
SampleQueries = Annotated[
    int | None,
    _option(
        "sample-queries", "Use only this number of queries of each collection. The choice is always the same.", min=1
    ),
]
BudgetPairs = Annotated[
    int | None,
    _option("budget-pairs", "Use as many queries of each collection as fit into this number of pairs in total.", min=1),
]
OnlyPlan = Annotated[
    bool, _flag("plan", "Print what the run would cost, and stop. The named models are tried for some seconds.")
]
RulesFile = Annotated[
    Path | None, _option("rules", "A TOML file with declarations for the collections, as in collection.toml.")
]
SourceName = Annotated[
    Literal["auto", "mteb", "beir", "irds"], _option("source", "The library that suites are read with.")
]
Mirror = Annotated[
    Path | None,
    _option("mirror", "A folder that `harness fetch` filled. Nothing is downloaded then.", callback=_offline),
]
MirrorToFill = Annotated[Path | None, _option("mirror", "The folder to fill.")]
Models = Annotated[list[str] | None, _option("model", "A model of the hub, named by a spec. Repeatable.")]
DryRun = Annotated[bool, _flag("dry-run", "Print what would be downloaded and its size, and stop.")]
AllowDrift = Annotated[
    bool, _flag("allow-drift", "Accept data that differs from the published data. Its numbers are marked.")
]
Out = Annotated[Path | None, _option("out", "Write report.md, results.json and runs/*.trec into this folder.")]
MtebResults = Annotated[Path | None, _option("mteb-results", "Write results in mteb's layout into this folder.")]
Audit = Annotated[bool, _flag("audit", "Also print the audit and the controls.")]
Config = Annotated[
    Path | None,
    _option(
        "config",
        "A TOML file with these options. The command line has precedence.",
        callback=_configured,
        is_eager=True,
    ),
]
WorkspacePath = Annotated[
    Path | None, _option("workspace", "The folder for results, scored pairs and caches. Default: ./.harness.")
]
AsJson = Annotated[bool, _flag("json", "Print JSON.")]
Full = Annotated[bool, _flag("full", "Check every row of a large ledger.")]
CompareSources = Annotated[bool, _flag("sources", "Compare the sources of a suite's collection with each other.")]
BoardOut = Annotated[
    Path | None, _option("out", "The folder for the pages. It must be new, empty, or hold an earlier board.")
]
BoardCollections = Annotated[
    list[str] | None,
    _option("collection", "Show only these: a name, a suite, or a pattern such as 'miracl/*'. Repeatable."),
]
SystemsFile = Annotated[
    Path | None, _option("systems", "A TOML file with the name, url, parameters, licence and training data of systems.")
]
SystemNames = Annotated[
    list[str] | None,
    typer.Argument(help="Show only these systems, as `harness list systems` names them. '*' matches anything."),
]
ReportOut = Annotated[
    Path | None, _option("out", "The folder for report.html, report.md, tables, plots and model-card.md.")
]
OnlyMeasures = Annotated[list[str] | None, _option("measure", "Use only these. Repeatable.")]
CellIntervals = Annotated[bool, _flag("intervals", "Print intervals in every cell, not only for averages.")]
TableFormat = Annotated[
    Literal["terminal", "markdown", "latex", "csv", "html"], _option("format", "The format of the printed tables.")
]
ParquetFile = Annotated[Path | None, _option("parquet", "The Parquet file to write.")]
CsvFile = Annotated[Path | None, _option("csv", "The CSV file to write.")]
PerQuery = Annotated[bool, _flag("per-query", "Write one row per query.")]
ColumnIntervals = Annotated[
    bool, _flag("intervals", "Add columns with the 95 % intervals and the test of the difference.")
]
SystemFamily = Annotated[
    str, typer.Argument(help="A pattern of systems such as './checkpoint-*', or one name with several revisions.")
]
HistoryMeasure = Annotated[str | None, _option("measure", "The measure. Default: the main measure of the collections.")]
HistoryOut = Annotated[Path | None, _option("out", "The folder for the plot, as PNG and SVG.")]
KeepCandidates = Annotated[bool, _flag("keep-candidates", "Run only the reranker again, on the stored candidates.")]
SkipProbe = Annotated[
    bool, _flag("skip-probe", "Skip the check whether a reranker ranks exact answers above unrelated texts.")
]
Collections = Annotated[
    list[str] | None,
    _option(
        "collection", "Use only these: a name, a suite such as beir, or the first digits of a fingerprint. Repeatable."
    ),
]
OnlyFirstStage = Annotated[str | None, _option("first-stage", "Use only results over this first stage.")]
OnlyDepth = Annotated[int | None, _option("depth", "Use only results at this depth.", min=1)]
UnpairedFirstStages = Annotated[
    bool, _flag("unpaired-first-stages", "Also compare systems that ranked other candidates, and mark them.")
]
EquivalentWithin = Annotated[
    float | None,
    _option("equivalent-within", "Test whether the difference is smaller than this number of points (TOST)."),
]
Groups = Annotated[
    list[str] | None,
    _option("group", "NAME=SPEC,SPEC or NAME=GLOB: compare several seeds or folds as one system. Repeatable."),
]
Page = Annotated[Path, _option("out", "The HTML file to write.")]
OneMeasure = Annotated[
    str, _option("measure", "A measure such as nDCG@10; 'main' is the main measure of each collection.")
]
QueriesOnPage = Annotated[
    int, _option("queries", "Show the documents of this number of queries, those that moved most.", min=0)
]
Anchor = Annotated[
    str | None,
    _option("anchor", "What the candidate is compared with: a spec, or best-accepted. Default: best-accepted."),
]
Candidate = Annotated[str | None, _option("candidate", "The reranker to judge, named by a spec.")]
PolicyFile = Annotated[
    Path | None,
    _option("policy", "The policy, a TOML file. The command line has precedence. Default: ./gate.toml if it exists."),
]
Sequential = Annotated[
    bool, _flag("sequential", "Score random blocks of queries, and stop as soon as the answer is certain.")
]
TierName = Annotated[
    Literal["dev", "gate", "final"],
    _option("tier", "The queries to use: dev prints figures and no verdict, gate spends a look, final confirms once."),
]
GateDepth = Annotated[int | None, _option("depth", "Candidates per query. Default: 100.", min=1)]
PrimaryMeasure = Annotated[
    str | None, _option("measure", "The measure that decides. Default: the main measure of each collection.")
]
Junit = Annotated[Path | None, _option("junit", "Write the verdict as JUnit XML to this file.")]
SummaryFile = Annotated[
    Path | None,
    _option(
        "summary", "Write the verdict as Markdown to this file. In GitHub Actions it also goes into the job's summary."
    ),
]
Accept = Annotated[
    bool, _flag("accept", "Mark a pass as accepted. Later candidates are compared with the best accepted one.")
]
TrainingFile = Annotated[
    Path, typer.Argument(help="Training queries: .jsonl, .parquet, or text with one query per line. May be gzipped.")
]
QueryField = Annotated[
    str | None, _option("field", "The field with the query. Default: query, question, anchor or text.")
]
Threshold = Annotated[
    float,
    _option(
        "threshold",
        "How similar two queries must be: the share of character trigrams that both have.",
        min=0.7,
        max=1.0,
    ),
]
CheckTargets = Annotated[
    list[str] | None, typer.Argument(help="Collections to take pairs from. Default: the packaged sample.")
]
CheckPairs = Annotated[int, _option("pairs", "Check about this number of pairs.", min=1)]
Reference = Annotated[
    Literal["sentence-transformers"] | None,
    _option("reference", "Also score the pairs with this library, in a separate process, and compare."),
]
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
SubmissionOut = Annotated[Path, _option("out", "The folder in which results/<org>__<model>/<revision>/ is written.")]
ImportedFiles = Annotated[
    list[Path], typer.Argument(help="One run file, or results of mteb and folders of them.", show_default=False)
]
ImportTarget = Annotated[str | None, _option("target", "The collection that a run ranks.")]
ImportName = Annotated[str | None, _option("name", "The name of the system, where the file does not give one.")]
ImportFormat = Annotated[
    Literal["trec", "tevatron", "msmarco", "flagembedding", "mteb-predictions", "json-run", "mteb-results"] | None,
    _option("format", "The format of the file, where it cannot be recognised."),
]
FirstStageRun = Annotated[
    Path | None, _option("first-stage-run", "The candidates that the run reorders, as a run file of any format.")
]
ImportFirstStage = Annotated[
    str | None, _option("first-stage", "The candidates that the run reorders, as a spec, or 'given'.")
]
TimedSystem = Annotated[str | None, typer.Argument(help="The spec of a reranker.")]
TimedQueries = Annotated[
    int, _option("queries", "Time this number of queries of each collection, one at a time.", min=1)
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
