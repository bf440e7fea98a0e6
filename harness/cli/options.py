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
    typer.Argument(help="Suites or parts of them, folders, zips, reranking files, folders of collections, or demo."),
]
SuiteTargets = Annotated[list[str] | None, typer.Argument(help="Suites or collections of them.")]
FirstStage = Annotated[
    str | None,
    _option(
        "first-stage",
        "A spec; 'given' for given candidates; 'run:FILE'. Without it: given candidates where all targets bring them, "
        "else Qwen/Qwen3-Embedding-0.6B.",
    ),
]
Rerankers = Annotated[list[str] | None, _option("reranker", "A spec; repeatable.")]
Depth = Annotated[int, _option("depth", "Candidates per query.", min=1)]
Measures = Annotated[list[str] | None, _option("measure", "nDCG@10, AP@1000, RR@10, ...; repeatable.")]
Languages = Annotated[list[str] | None, _option("language", "Only these; repeatable.")]
TargetLanguages = Annotated[
    list[str] | None,
    _option(
        "language",
        "Only these, of targets that declare languages; the language of a target that declares none. Repeatable.",
    ),
]
Parallel = Annotated[
    bool | None,
    _option(
        "parallel",
        "Queries with one id are one question, or not, in all collections of a set (a folder, a suite); as declared, "
        "else as detected.",
        negative="/--no-parallel",
        show_default=False,
    ),
]
Split = Annotated[str | None, _option("split", "Which judgments; test.")]
SampleQueries = Annotated[
    int | None, _option("sample-queries", "Only so many queries of each collection, always the same.", min=1)
]
BudgetPairs = Annotated[
    int | None, _option("budget-pairs", "As many queries of each collection as cost so many pairs together.", min=1)
]
OnlyPlan = Annotated[bool, _flag("plan", "Only tell what it would cost; the models named are tried for seconds.")]
RulesFile = Annotated[Path | None, _option("rules", "A TOML file that declares a collection's rules.")]
SourceName = Annotated[Literal["auto", "mteb", "beir", "irds"], _option("source", "Where suites are read from.")]
Mirror = Annotated[
    Path | None, _option("mirror", "A folder that `harness fetch` filled: nothing is downloaded.", callback=_offline)
]
MirrorToFill = Annotated[Path | None, _option("mirror", "The folder to fill.")]
Models = Annotated[list[str] | None, _option("model", "A model of the hub, as a spec; repeatable.")]
DryRun = Annotated[bool, _flag("dry-run", "Only tell what would be brought, and how large it is.")]
AllowDrift = Annotated[bool, _flag("allow-drift", "Take data that is not the published one; its numbers are marked.")]
Out = Annotated[Path | None, _option("out", "Write report.md, results.json and runs/*.trec here.")]
MtebResults = Annotated[Path | None, _option("mteb-results", "Write results in mteb's layout here.")]
Audit = Annotated[bool, _flag("audit", "Print the audit and the controls too.")]
Config = Annotated[
    Path | None,
    _option("config", "A TOML file with these options; the command line wins.", callback=_configured, is_eager=True),
]
WorkspacePath = Annotated[Path | None, _option("workspace", "Where everything is kept; ./.harness.")]
AsJson = Annotated[bool, _flag("json", "Print JSON for machines.")]
Full = Annotated[bool, _flag("full", "Read a large ledger whole.")]
CompareSources = Annotated[bool, _flag("sources", "Compare the sources of a suite's collection with each other.")]
BoardOut = Annotated[Path | None, _option("out", "The folder for the pages; new, empty, or of an earlier board.")]
BoardCollections = Annotated[
    list[str] | None, _option("collection", "Only these: names, suites, or patterns such as 'miracl/*'; repeatable.")
]
SystemsFile = Annotated[
    Path | None, _option("systems", "A TOML file that says name, url, parameters, licence, training data of systems.")
]
SystemNames = Annotated[
    list[str] | None, typer.Argument(help="Only these systems, as `harness list systems` names them; '*' for anything.")
]
ReportOut = Annotated[
    Path | None, _option("out", "The folder for report.html, report.md, tables, plots, model-card.md.")
]
OnlyMeasures = Annotated[list[str] | None, _option("measure", "Only these; repeatable.")]
CellIntervals = Annotated[bool, _flag("intervals", "Intervals in every cell, not only beside averages.")]
TableFormat = Annotated[
    Literal["terminal", "markdown", "latex", "csv", "html"], _option("format", "How tables are printed here.")
]
ParquetFile = Annotated[Path | None, _option("parquet", "The Parquet file to write.")]
CsvFile = Annotated[Path | None, _option("csv", "The CSV file to write.")]
PerQuery = Annotated[bool, _flag("per-query", "A row per query.")]
ColumnIntervals = Annotated[
    bool, _flag("intervals", "Columns of the 95 % intervals and of the test of the difference.")
]
SystemFamily = Annotated[
    str, typer.Argument(help="A pattern of systems such as './checkpoint-*', or one name with several revisions.")
]
HistoryMeasure = Annotated[str | None, _option("measure", "The measure; else the main one of the collections.")]
HistoryOut = Annotated[Path | None, _option("out", "The folder for the plot, as PNG and SVG.")]
KeepCandidates = Annotated[bool, _flag("keep-candidates", "Run only the reranker again, on the stored candidates.")]
SkipProbe = Annotated[
    bool, _flag("skip-probe", "Do not look first whether a reranker ranks exact answers above unrelated texts.")
]
Collections = Annotated[
    list[str] | None,
    _option("collection", "Only these: a name, a suite such as beir, digits of a fingerprint; repeatable."),
]
OnlyFirstStage = Annotated[str | None, _option("first-stage", "Only what was measured on this one.")]
OnlyDepth = Annotated[int | None, _option("depth", "Only what was measured with so many candidates.", min=1)]
UnpairedFirstStages = Annotated[
    bool, _flag("unpaired-first-stages", "Compare systems that ranked other candidates, and mark them.")
]
EquivalentWithin = Annotated[
    float | None, _option("equivalent-within", "Points: test whether the difference is smaller (TOST).")
]
Groups = Annotated[
    list[str] | None, _option("group", "NAME=SPEC,SPEC or NAME=GLOB: seeds or folds as one system; repeatable.")
]
Page = Annotated[Path, _option("out", "The HTML file to write.")]
OneMeasure = Annotated[str, _option("measure", "nDCG@10, AP@1000, RR@10, ...; main is each collection's own.")]
QueriesOnPage = Annotated[
    int, _option("queries", "Show the documents of so many queries: those that moved most.", min=0)
]
Anchor = Annotated[
    str | None, _option("anchor", "What the candidate is held against: a spec, or best-accepted, which is the default.")
]
Candidate = Annotated[str | None, _option("candidate", "The spec that asks to pass.")]
PolicyFile = Annotated[
    Path | None,
    _option("policy", "The policy as TOML; the command line wins. Without it: ./gate.toml if there is one."),
]
Sequential = Annotated[
    bool, _flag("sequential", "Score random blocks of queries, and stop when the answer is certain.")
]
TierName = Annotated[
    Literal["dev", "gate", "final"],
    _option("tier", "Whose queries: dev gives figures and no verdict, gate spends a look, final confirms once."),
]
GateDepth = Annotated[int | None, _option("depth", "Candidates per query; 100.", min=1)]
PrimaryMeasure = Annotated[
    str | None, _option("measure", "The primary endpoint; without it each collection's main measure.")
]
Junit = Annotated[Path | None, _option("junit", "Write the verdict as JUnit XML here.")]
SummaryFile = Annotated[
    Path | None, _option("summary", "Write the verdict as Markdown here; in GitHub Actions the job's summary gets it.")
]
Accept = Annotated[
    bool, _flag("accept", "Mark a pass as accepted: later candidates are held against the best of those.")
]
TrainingFile = Annotated[
    Path, typer.Argument(help="Training queries: .jsonl, .parquet, or text with one a line; .gz too.")
]
QueryField = Annotated[str | None, _option("field", "The field of the query; query, question, anchor or text.")]
Threshold = Annotated[
    float, _option("threshold", "How alike: the share of character trigrams in both.", min=0.7, max=1.0)
]
CheckTargets = Annotated[list[str] | None, typer.Argument(help="What to take pairs from; the embedded sample.")]
CheckPairs = Annotated[int, _option("pairs", "About this many pairs.", min=1)]
Reference = Annotated[
    Literal["sentence-transformers"] | None,
    _option("reference", "Score the pairs with this library too, in a process of its own, and compare."),
]
Corpus = Annotated[
    str, _option("corpus", "A folder with corpus.jsonl, or any collection; only its documents are used.")
]
PoolCorpus = Annotated[
    str | None, _option("corpus", "Where the pool's corpus lies now; default: where it lay when it was mined.")
]
GeneratorSpec = Annotated[
    str,
    _option("generator", "extractive, a language model (folder or hub name), or chat:http://HOST:PORT/v1?model=NAME."),
]
ProfileName = Annotated[
    str | None,
    _option("profile", "web-zh, claim-en, generic/sw, ... or a TOML file; default: generic in the corpus's language."),
]
DocumentsAsked = Annotated[int | None, _option("documents", "Ask about so many documents; all.", min=1)]
Floor = Annotated[float, _option("floor", "The share of queries that have to keep to the profile.", min=0.0, max=1.0)]
Seed = Annotated[int, _option("seed", "Another seed draws other documents.")]
StageFolder = Annotated[Path, _option("out", "The folder of this stage; a killed run goes on there.")]
QueriesFile = Annotated[Path, _option("queries", "The folder of train synthesize, or a JSONL file with _id and text.")]
Retrievers = Annotated[
    list[str] | None,
    _option("retriever", "A first stage; at least two. Default: bm25 and Qwen/Qwen3-Embedding-0.6B."),
]
PoolDepth = Annotated[int, _option("depth", "Candidates of each retriever.", min=1)]
PoolFolder = Annotated[Path, _option("pool", "The folder of train mine.")]
Teachers = Annotated[list[str] | None, _option("teacher", "A reranker or an embedder; repeatable.")]
Weights = Annotated[list[float] | None, _option("weight", "One for each teacher, in their order; equal ones.")]
StudentLength = Annotated[
    int | None, _option("max-length", "Tokens that the student will read: the teacher is cut there too.", min=1)
]
SamplingName = Annotated[
    Literal["stratified", "top", "random"], _option("sampling", "How documents are chosen from the pool.")
]
ExampleDocuments = Annotated[int, _option("per-query", "Documents of an example.", min=2)]
Bins = Annotated[int, _option("bins", "Strata of the teacher's scores.", min=1)]
BinScope = Annotated[
    Literal["global", "query"], _option("bin-scope", "Strata over the scores of all queries, or of each.")
]
DropAbove = Annotated[
    float | None,
    _option("drop-above", "Drop documents above this share of the source document's score, as in 0.95; none."),
]
ScoreMap = Annotated[
    Literal["none", "standard", "logistic", "unit"], _option("map", "Write scores on another scale, in the same order.")
]
TaskName = Annotated[str | None, _option("task", "The task's name in the examples; the corpus's.")]
TeacherFacts = Annotated[
    Path | None, _option("teacher-facts", "A TOML file with the licence and the training sets of each teacher.")
]
Base = Annotated[str | None, _option("base", "The checkpoint to train: a folder or a hub name.")]
FitData = Annotated[
    list[Path] | None,
    _option("data", "Examples with scores: .jsonl, .parquet, triples as .tsv, or a BEIR folder; repeatable."),
]
FitOut = Annotated[Path | None, _option("out", "The folder of the trained checkpoint; it appears when it is whole.")]
Replay = Annotated[Path | None, _option("replay", "General examples that are mixed in, against forgetting.")]
SaveEvery = Annotated[int | None, _option("save-every", "Keep a checkpoint every so many steps in OUT.steps.", min=1)]
LimitExamples = Annotated[int | None, _option("limit", "Take so many examples of each file, from its start.", min=1)]
NegativesFrom = Annotated[
    str, _option("negatives", "Where a BEIR folder's negatives come from: a retriever, or run:FILE.")
]
PrintCost = Annotated[bool, _flag("print-cost", "Only tell what it would cost; a few steps are tried.")]
MergePaths = Annotated[
    list[Path], typer.Argument(help="CONFIG.yaml OUT, or OUT alone with --method.", show_default=False)
]
MergeMethod = Annotated[str | None, _option("method", "Without a recipe: slerp, linear, model_stock, ...")]
MergeModels = Annotated[list[str] | None, _option("model", "A checkpoint to merge: path or hub name; repeatable.")]
MergeBase = Annotated[str | None, _option("base", "The base; slerp takes the first --model where none is named.")]
MergeT = Annotated[float | None, _option("t", "Of slerp: 0 is the base, 1 the other.")]
MergeWeights = Annotated[list[float] | None, _option("weight", "One for each --model, in that order; repeatable.")]
MergeDtype = Annotated[
    Literal["bfloat16", "float16", "float32"] | None, _option("dtype", "Of the output; without it the base's.")
]
ShardMegabytes = Annotated[
    int | None, _option("shard-mb", "Cut the weights into files of this size; without it as the base's.", min=1)
]
SubmissionOut = Annotated[Path, _option("out", "The folder that gets results/<org>__<model>/<revision>/.")]
ImportedFiles = Annotated[
    list[Path], typer.Argument(help="One run file, or results of mteb and folders of them.", show_default=False)
]
ImportTarget = Annotated[str | None, _option("target", "The collection that a run ranks.")]
ImportName = Annotated[str | None, _option("name", "What the system is called; needed where the file does not say it.")]
ImportFormat = Annotated[
    Literal["trec", "tevatron", "msmarco", "flagembedding", "mteb-predictions", "json-run", "mteb-results"] | None,
    _option("format", "What the file is, where it does not show."),
]
FirstStageRun = Annotated[
    Path | None, _option("first-stage-run", "The candidates that the run reorders, as a run file of any format.")
]
ImportFirstStage = Annotated[
    str | None, _option("first-stage", "The candidates that the run reorders, as a spec; 'given' for given ones.")
]
TimedSystem = Annotated[str | None, typer.Argument(help="The spec of a reranker.")]
TimedQueries = Annotated[int, _option("queries", "So many queries of each collection, one at a time.", min=1)]
StudentBase = Annotated[str | None, _option("base", "The student: a folder or a hub name of a cross-encoder.")]
SyntheticQueries = Annotated[
    Path | None, _option("queries", "Synthetic queries: a folder of train synthesize, or a JSONL file.")
]
SyntheticCorpus = Annotated[str | None, _option("corpus", "What the synthetic queries were written from.")]
RealQueries = Annotated[str | None, _option("real", "A collection with human judgments to train on.")]
RealSplit = Annotated[str, _option("real-split", "Which judgments of it.")]
WrongQueries = Annotated[Path | None, _option("wrong", "Synthetic queries of another domain.")]
WrongCorpus = Annotated[str | None, _option("wrong-corpus", "What those were written from.")]
OneTeacher = Annotated[str | None, _option("teacher", "A reranker or an embedder.")]
TestCollection = Annotated[str | None, _option("test", "The judged collection that all are measured on.")]
TestSplit = Annotated[str | None, _option("test-split", "Which judgments of it; test.")]
StudentSeeds = Annotated[int, _option("seeds", "Trainings of every arm.", min=1)]
QueriesEach = Annotated[int | None, _option("queries-each", "At most so many queries of every set; all.", min=1)]
CandidatesDepth = Annotated[int, _option("pool-depth", "Candidates of each retriever in the pools.", min=1)]
TestFirstStage = Annotated[str, _option("first-stage", "Whose candidates are reranked; a spec, given, or run:FILE.")]
TestMeasure = Annotated[str | None, _option("measure", "nDCG@10, RR@10, ...; the test collection's main one.")]
CountCost = Annotated[bool, _flag("print-cost", "Only tell what it would cost at most.")]
UtilityOut = Annotated[Path | None, _option("out", "The folder of the ablation; a killed run goes on there.")]
AdaptationFolder = Annotated[
    Path, typer.Argument(help="The --out of train adapt, or a record.json.", show_default=False)
]
AdaptationPage = Annotated[
    Path | None, _option("out", "The folder for adaptation.html, adaptation.md and their figures.")
]
AdaptedOn = Annotated[
    list[str] | None,
    _option("adapted-on", "A corpus that the examples were made of, by name, where no manifest says it; repeatable."),
]
AdaptCorpora = Annotated[
    list[str] | None,
    _option("corpus", "What to adapt to: a folder with corpus.jsonl, or any collection's documents; repeatable."),
]
AdaptBase = Annotated[str | None, _option("base", "The cross-encoder to adapt: a folder or a hub name.")]
AdaptGenerator = Annotated[
    str, _option("generator", "extractive, a language model, or chat:http://HOST:PORT/v1?model=NAME.")
]
AdaptProfiles = Annotated[
    list[str] | None,
    _option("profile", "How queries are asked, for every corpus; repeatable. Default: generic in its language."),
]
DevTarget = Annotated[str | None, _option("dev", "The collection that proposals are chosen on.")]
DevSplit = Annotated[str | None, _option("dev-split", "Which judgments of it.")]
AdaptPolicy = Annotated[
    Path | None, _option("gate", "The gate's policy; its targets, or the dev collection where it names none.")
]
GateSplit = Annotated[str | None, _option("gate-split", "Which judgments of the gate's targets; as --dev-split.")]
FinalTarget = Annotated[
    str | None, _option("final", "The collection of the last look; default: the final tier of the gate's targets.")
]
FinalSplit = Annotated[str | None, _option("final-split", "Which judgments of it.")]
SourceTarget = Annotated[
    str | None, _option("source", "A collection of the domain that the base comes from, to see what was forgotten.")
]
AdaptOut = Annotated[Path | None, _option("out", "The folder of the run; a killed one goes on there.")]
GeneralData = Annotated[
    list[str] | None,
    _option("general", "General ranking data: stage 1 is trained on it, and it is replayed; repeatable."),
]
GeneralLoss = Annotated[
    Literal["hinge", "margin-mse", "bce", "mse", "ranknet", "lambda", "listnet", "adr-mse", "kl"],
    _option("general-loss", "What stage 1 learns of the general labels."),
]
GeneralEpochs = Annotated[int, _option("general-epochs", "Epochs of stage 1.", min=1)]
Ingredients = Annotated[
    list[str] | None, _option("ingredient", "A checkpoint that joins the trained ones in every merge; repeatable.")
]
SingleSeeds = Annotated[
    int | None, _option("seeds", "Trainings of every task; 2 with one task, 1 with several.", min=1)
]
DespiteTeacher = Annotated[
    bool, _flag("despite-teacher", "Go on with a teacher that is not ahead of its student on dev.")
]
LeakThreshold = Annotated[
    float, _option("leak-threshold", "Queries this much like an evaluation query are removed; share of trigrams.")
]
ReleaseName = Annotated[str | None, _option("release", "The release whose looks are counted; over the policy's.")]
