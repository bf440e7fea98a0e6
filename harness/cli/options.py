"""The options of the command line, each defined once: name, help, and for four of them an environment variable."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

from adapters.errors import did_you_mean

VARIABLES = {name: f"HARNESS_{name.upper()}" for name in ("workspace", "mirror", "device", "json")}
"""The options that can also be set by an environment variable. None of them changes what is measured."""

LARGEST = 2**63 - 1
"""The largest whole number that arrays and random generators take."""
_retired: dict[str, str] = {}
_LISTS = {"reranker": "rerankers", "measure": "measures", "language": "languages"}
_PARAMETERS = {**_LISTS, "json": "as_json"}
"""Keys of a configuration, named like the options, and the names of the parameters that they set."""


def _offline(mirror: Path | None) -> Path | None:
    if mirror is not None:  # the hub's client and the adapters read these on first use
        os.environ["HARNESS_MIRROR"] = str(mirror)
        os.environ["HF_HUB_OFFLINE"] = "1"
    return mirror


def _configured(context: typer.Context, file: Path | None) -> Path | None:
    if file is None:
        return None
    from adapters.typed_file import read_toml
    from adapters.typed_values import Place, typed

    kinds = _kinds(context.command.callback) if context.command.callback else {}
    kinds.pop("config", None)
    settings: dict[str, Any] = {}
    for key, value in read_toml(file, dict).items():
        place, name = Place(str(file)).key(key), _PARAMETERS.get(key, key.replace("-", "_"))
        if name not in kinds:
            keys = {name: key for key, name in _PARAMETERS.items()}
            place.refuse(f"unknown key.{did_you_mean(key, (keys.get(one, one) for one in kinds))}")
        if name in settings:
            place.refuse("is given twice; write it once")
        settings[name] = typed(kinds[name], value, place)
    context.default_map = settings
    return file


def _kinds(command: Callable[..., Any]) -> dict[str, Any]:
    """Return the types of a command's parameters in a file. On the command line all are strings."""
    hints = get_type_hints(inspect.unwrap(command), include_extras=True)
    return {name: _kind(*get_args(hint)[:2]) for name, hint in hints.items() if get_origin(hint) is Annotated}


def _kind(declared: Any, option: Any) -> Any:
    from msgspec import Meta

    from adapters.typed_values import OneOrMore, of_64_bits
    from adapters.typed_words import Then

    plain = next((one for one in get_args(declared) if get_origin(declared) is UnionType and one), declared)
    if get_origin(plain) is list:
        return OneOrMore
    if option.parser is _workers:
        return int | Literal["auto"]
    if plain is int:
        return Annotated[int, Meta(ge=option.min), Then(of_64_bits)]
    return str if plain is Path else Annotated[plain, Meta(ge=option.min, le=option.max)]


def _workers(given: str | int) -> int | str:
    """Return the argument of `workers`: a number if it is one."""
    return int(given) if str(given).isdecimal() else str(given)


def retired_variables() -> list[str]:
    """Return one line for each environment variable that is set but no longer read."""
    return [
        f"{variable} is no longer read; use --{name}"
        for variable, name in sorted(_retired.items())
        if os.environ.get(variable)
    ]


def _flag(name: str, text: str) -> Any:
    return _option(name, text)


def _option(name: str, text: str, *, negative: str = "", **more: Any) -> Any:
    if "min" in more:
        more.setdefault("max", LARGEST)
    if name not in VARIABLES:
        _retired[f"HARNESS_{name.upper().replace('-', '_')}"] = name
    return typer.Option(f"--{name}{negative}", envvar=VARIABLES.get(name), help=text, **more)


SYSTEM = (
    "A system as the tables name it, a glob such as 'BAAI/*', or the first digits of an evaluation's id (4 or more)."
)
EVALUATION = "The id of an evaluation or its first digits (4 or more), or a system that has only one evaluation."
_COLLECTION = (
    "a name, a suite, a set or a group, a glob such as 'miracl/*', or the first digits of a fingerprint (6 or more). "
    "Repeatable."
)

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        help="What to evaluate on: a suite or a part of one, a folder, a zip, a file of reranking rows, a folder of "
        "collections, or demo."
    ),
]
SuiteTargets = Annotated[
    list[str] | None, typer.Argument(help="Suites such as beir, or their collections, such as beir/scifact.")
]
ComparedTargets = Annotated[
    list[str] | None,
    typer.Argument(help="With --sources: suites such as beir, or their collections, such as beir/scifact."),
]
TimedTargets = Annotated[
    list[str] | None, typer.Argument(help="The queries to time, as in harness run. Default: demo/en.")
]
FirstStage = Annotated[
    str | None,
    _option(
        "first-stage",
        "The first stage: a spec, 'given' for the collection's own candidate lists, or 'run:FILE'. Default: given "
        "if all targets have candidate lists, else Qwen/Qwen3-Embedding-0.6B.",
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
Languages = Annotated[list[str] | None, _option("language", "Use only these languages. Default: all. Repeatable.")]
TargetLanguages = Annotated[
    list[str] | None,
    _option(
        "language",
        "Evaluate only these languages. For a target that declares no language, this declares it. Default: all. "
        "Repeatable.",
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
Split = Annotated[str | None, _option("split", "The split of the judgments. Default: test, or the only split.")]
SampleQueries = Annotated[
    int | None,
    _option(
        "sample-queries",
        "Use only this number of queries of each collection, always the same ones. Default: all.",
        min=1,
    ),
]
BudgetPairs = Annotated[
    int | None,
    _option(
        "budget-pairs",
        "Use as many queries of each collection as fit into this number of pairs in total. Default: no limit.",
        min=1,
    ),
]
OnlyPlan = Annotated[
    bool, _flag("plan", "Print what the run would cost, and stop. The named models are timed for a few seconds.")
]
RulesFile = Annotated[
    Path | None,
    _option("rules", "A TOML file with declarations for the collections, as in collection.toml. Default: none."),
]
SourceName = Annotated[
    Literal["auto", "mteb", "beir", "irds"], _option("source", "The library that suites are read with.")
]
Mirror = Annotated[
    Path | None,
    _option("mirror", "A folder filled by `harness fetch`. Nothing is downloaded then.", callback=_offline),
]
MirrorToFill = Annotated[Path | None, _option("mirror", "The folder to fill.")]
Models = Annotated[list[str] | None, _option("model", "A model of the hub, named by a spec. Repeatable.")]
DryRun = Annotated[bool, _flag("dry-run", "Print what would be downloaded and its size, and stop.")]
AllowDrift = Annotated[
    bool, _flag("allow-drift", "Accept data that differs from the published data. Its numbers are marked.")
]
Out = Annotated[Path | None, _option("out", "Write report.md, results.json and runs/*.trec into this folder.")]
MtebResults = Annotated[Path | None, _option("mteb-results", "Write results in mteb's layout into this folder.")]
TableColumns = Annotated[
    str | None,
    _option(
        "columns",
        "The columns of the tables of systems, such as value,delta,adjusted_p, or all. A wrong name lists them. They "
        "do not change tests and corrections.",
    ),
]
ComparedColumns = Annotated[
    str | None,
    _option("columns", "The columns of the tables, such as delta,p,adjusted_p, or all. A wrong name lists them."),
]
NamesFile = Annotated[
    Path | None,
    _option("names", 'A TOML file with display names, as in "BAAI/bge-reranker-v2-m3" = "BGE". JSON keeps the labels.'),
]
Audit = Annotated[bool, _flag("audit", "Also print the audit and the controls.")]
Config = Annotated[
    Path | None,
    _option(
        "config",
        "A TOML file with the options of this command. The command line has precedence.",
        callback=_configured,
        is_eager=True,
    ),
]
WorkspacePath = Annotated[
    Path | None, _option("workspace", "The folder for results, scored pairs and caches. Default: ./.harness.")
]
WorkerCount = Annotated[
    int,
    _option(
        "workers",
        "The number of processes that score and embed, each with its own model and its own GPU or cores; 'auto' is one "
        "for each GPU, or as many as cores and memory allow. The scores do not depend on it.",
        parser=_workers,
        metavar="N|auto",
    ),
]
AsJson = Annotated[bool, _flag("json", "Print JSON.")]
Full = Annotated[bool, _flag("full", "Check every stored row of scored pairs, also where there are millions.")]
CompareSources = Annotated[bool, _flag("sources", "Compare the sources of a suite's collection with each other.")]
BoardOut = Annotated[
    Path | None, _option("out", "The folder for the pages. It must be new, empty, or contain an earlier board.")
]
BoardCollections = Annotated[
    list[str] | None,
    _option("collection", f"Show only these: {_COLLECTION}"),
]
SystemsFile = Annotated[
    Path | None,
    typer.Option(
        "--names", "--systems", help="A TOML file with the name, url, parameters, licence and training data of systems."
    ),
]
SystemNames = Annotated[
    list[str] | None,
    typer.Argument(help=f"Show only these systems. {SYSTEM}"),
]
ReportOut = Annotated[
    Path | None,
    _option(
        "out", "The folder for report.html, report.md, tables, plots and model-card.md. Default: only print the tables."
    ),
]
OnlyMeasures = Annotated[list[str] | None, _option("measure", "Use only these measures. Default: all. Repeatable.")]
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
    str, typer.Argument(help="A glob of systems such as './checkpoint-*', or one name with several revisions.")
]
HistoryMeasure = Annotated[str | None, _option("measure", "The measure. Default: the main measure of the collections.")]
HistoryOut = Annotated[Path | None, _option("out", "The folder for the plot, as PNG and SVG.")]
KeepCandidates = Annotated[bool, _flag("keep-candidates", "Run only the reranker again, on the stored candidates.")]
StoredTexts = Annotated[
    bool, _flag("stored-texts", "Start from the texts in the workspace, verified, and not from their source.")
]
SkipProbe = Annotated[
    bool, _flag("skip-probe", "Skip the check that a reranker ranks exact answers above unrelated texts.")
]
Collections = Annotated[
    list[str] | None,
    _option("collection", f"Use only these: {_COLLECTION}"),
]
OnlyFirstStage = Annotated[str | None, _option("first-stage", "Use only results over this first stage.")]
AgainstCandidates = Annotated[
    Path | None,
    _option("against", "Another workspace, with the candidates. It is only read. Default: --workspace."),
]
OnlyDepth = Annotated[int | None, _option("depth", "Use only results at this depth.", min=1)]
UnpairedFirstStages = Annotated[
    bool, _flag("unpaired-first-stages", "Also compare systems that ranked different candidates, and mark them.")
]
EquivalentWithin = Annotated[
    float | None,
    _option("equivalent-within", "Test whether the difference is smaller than this number of points (TOST)."),
]
Groups = Annotated[
    list[str] | None,
    _option("group", "NAME=SPEC,SPEC or NAME=GLOB: compare several seeds or folds as one system. Repeatable."),
]
UnjudgedBounds = Annotated[
    bool,
    _flag(
        "unjudged",
        "Also print the smallest and the largest difference in nDCG@k over all labels of the unjudged documents in "
        "either top k, and what to judge first.",
    ),
]
Page = Annotated[Path, _option("out", "The HTML file to write.")]
OneMeasure = Annotated[
    str, _option("measure", "A measure such as nDCG@10; 'main' is the main measure of each collection.")
]
QueriesOnPage = Annotated[
    int, _option("queries", "Show the documents of this number of queries, those that changed most.", min=0)
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
        "How similar two queries must be: the share of character trigrams that they have in common.",
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
SubmissionOut = Annotated[Path, _option("out", "The folder in which results/<org>__<model>/<revision>/ is written.")]
ImportedFiles = Annotated[
    list[Path], typer.Argument(help="One run file, or results of mteb and folders of them.", show_default=False)
]
ImportTarget = Annotated[str | None, _option("target", "The collection that a run ranks.")]
ImportName = Annotated[str | None, _option("name", "The name of the system, if the file does not give one.")]
ImportFormat = Annotated[
    Literal["trec", "tevatron", "msmarco", "flagembedding", "mteb-predictions", "json-run", "mteb-results"] | None,
    _option("format", "The format of the file, if it is not recognised."),
]
FirstStageRun = Annotated[
    Path | None, _option("first-stage-run", "The candidates that the run reorders, as a run file of any format.")
]
ImportFirstStage = Annotated[
    str | None, _option("first-stage", "The candidates that the run reorders, as a spec, or 'given'.")
]
TimedSystem = Annotated[str | None, typer.Argument(help="The spec of a reranker. Needed.")]
TimedQueries = Annotated[
    int, _option("queries", "Time this number of queries of each collection, one at a time.", min=1)
]
