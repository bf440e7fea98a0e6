"""Spec strings name adapters everywhere: `[kind:]model[@revision][?option=value&...]`."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import inspect
import re
import traceback
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl

from adapters.errors import EnvironmentFailure, ModelError, UsageError, did_you_mean
from adapters.identity import file_digest
from adapters.option_values import typed_options
from adapters.paths import user_path
from adapters.protocols import Bindable, Checkable, Generator, Identity, Judge, ListwiseReranker, Reranker, Retriever
from adapters.working_folder import allow_working_folder

Part = Literal["retriever", "reranker", "generator", "judge", "comparer"]

_LANGUAGE_MODEL = "adapters.generation:LanguageModelGenerator"
_CHAT_JUDGE = "adapters.judges.chat:ChatJudge"
_PROMPTED = "adapters.comparing:open_prompted"
_BUILT_IN: dict[str, dict[str, str]] = {
    "embedder": {"retriever": "adapters.dense:DenseRetriever", "reranker": "adapters.embedding:EmbedderReranker"},
    "bm25": {"retriever": "adapters.bm25:BM25Retriever", "reranker": "adapters.bm25:BM25Reranker"},
    "cross-encoder": {"reranker": "adapters.cross_encoder:CrossEncoder"},
    "causal-lm": {"reranker": "adapters.causal_lm:CausalLMReranker", "generator": _LANGUAGE_MODEL},
    "seq2seq": {
        "reranker": "adapters.seq2seq:Seq2SeqReranker",
        "generator": _LANGUAGE_MODEL,
        "judge": "adapters.judges.seq2seq:Seq2SeqJudge",
    },
    "chat": {"generator": "adapters.chat:ChatGenerator", "judge": _CHAT_JUDGE, "comparer": _PROMPTED},
    "pairwise": {"comparer": _PROMPTED},
    "extractive": {"generator": "adapters.extractive:ExtractiveGenerator"},
    "questions": {"generator": "adapters.questions:QuestionGenerator"},
    "onnx": {"reranker": "adapters.onnx:OnnxCrossEncoder"},
    "packaged": {"retriever": "adapters.packaged:open_retriever", "reranker": "adapters.packaged:open_reranker"},
    "nli": {"judge": "adapters.judges.nli:NLIJudge"},
    "reranker": {"judge": "adapters.judges.reranker:open_judge"},
    "lexical": {"judge": "adapters.judges.lexical:LexicalJudge"},
    "recorded": {"judge": "adapters.judges.recorded:RecordedJudge"},
}
_OWN_CODE = "adapters.own_code:open_own_code"
_MAY_RUN_CODE = (None, "cross-encoder", "causal-lm")
"""Kinds of rerankers whose folders may contain code, which `?code=own` runs."""
_WITHOUT_MODEL = ("bm25", "extractive", "lexical", "questions")
_ENTRY_POINTS = "harness.adapters"
_CALLED: dict[Part, str] = {
    "retriever": "a first stage",
    "reranker": "a reranker",
    "generator": "a generator",
    "judge": "a judge",
    "comparer": "a teacher that compares two documents",
}
_NAMED_WITH = {
    "retriever": "--first-stage",
    "reranker": "--reranker",
    "generator": "--generator",
    "judge": "--judge",
    "comparer": "--teacher and --pairwise",
}
_ESCAPED = {ord(one): f"%{ord(one):02X}" for one in "%&+"}
"""The characters that have another meaning in the options of a spec."""
_MAY_BE_EMPTY = ("query_prompt", "document_prompt")
"""Options whose value may be empty."""
_KIND = re.compile(r"([a-z][a-z0-9_-]+):(?!//)(.*)", re.DOTALL)
_OBJECT = re.compile(r"[A-Za-z_]\w*(\.\w+)*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Spec:
    """A parsed spec string."""

    text: str
    kind: str | None
    model: str
    revision: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


def parse(text: str) -> Spec:
    """Parse a spec string.

    Raises:
        UsageError: the string is empty, or an option has no value or occurs twice.
    """
    head, _, query = text.strip().partition("?")
    if "\0" in text:
        raise UsageError(f"'{text}' has a NUL character; write the name without it")
    if not head:
        raise UsageError("empty model name; write for instance 'BAAI/bge-reranker-v2-m3' or 'cross-encoder:./mine'")
    kind, model = _split_kind(head)
    model, revision = _split_revision(model)
    return Spec(text.strip(), kind, model, revision, _options(text, query))


def inner_of(spec: Spec, own: Collection[str], prefix: str = "") -> str:
    """The spec inside a spec `kind:SPEC`, without the options that belong to the kind."""
    options = _query({name: value for name, value in spec.options.items() if name not in own})
    revision = f"@{spec.revision}" if spec.revision else ""
    return f"{prefix}{spec.model}{revision}{'?' if options else ''}{options}"


def with_option(text: str, name: str, value: str) -> str:
    """A spec string with an option added, or with a new value for an option that it has."""
    spec = parse(text)
    return f"{spec.text.partition('?')[0]}?{_query({**spec.options, name: value})}"


def has_option(text: str, part: Part, name: str) -> bool:
    """Whether the adapter that a spec names has an option. Nothing is opened.

    Raises:
        HarnessError: the spec names no adapter for this part.
    """
    spec = parse(text)
    found = inspect.signature(_load(spec.model if spec.kind == "object" else _target(spec, part), spec))
    return name in found.parameters and found.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY


def open_retriever(text: str) -> Retriever:
    """The first stage that a spec names."""
    built = build(parse(text), "retriever")
    if not hasattr(built, "search"):
        raise UsageError(f"'{text}' cannot be a first stage: {type(built).__name__} has no method 'search'")
    return typing.cast(Retriever, built)


def open_reranker(text: str) -> Reranker:
    """The reranker of pairs that a spec names."""
    built = open_ranker(text)
    if not hasattr(built, "score"):
        raise UsageError(f"'{text}' orders whole lists; here a reranker with a method 'score' for pairs is needed")
    return typing.cast(Reranker, built)


def open_ranker(text: str) -> Reranker | ListwiseReranker:
    """The reranker that a spec names: one that scores pairs if it can, else one that orders whole lists."""
    return as_ranker(build(parse(text), "reranker"), text)


def as_ranker(built: object, text: str) -> Reranker | ListwiseReranker:
    """An adapter as the reranker that the spec `text` names.

    Raises:
        UsageError: it neither scores pairs nor orders lists.
    """
    if not hasattr(built, "score") and not hasattr(built, "order"):
        raise UsageError(
            f"'{text}' cannot be a reranker: {type(built).__name__} has no method 'score' for pairs, nor 'order' for "
            "whole lists"
        )
    return typing.cast("Reranker | ListwiseReranker", built)


def open_generator(text: str) -> Generator:
    """The generator of texts that a spec names; a folder or hub name without a kind is a language model."""
    built = build(parse(text), "generator")
    if not hasattr(built, "generate"):
        raise UsageError(f"'{text}' cannot be a generator: {type(built).__name__} has no method 'generate'")
    return typing.cast(Generator, built)


def open_judge(text: str) -> Judge:
    """The judge that a spec names: whether a premise supports a claim."""
    spec = parse(text)
    if spec.kind is None:
        judges = [kind for kind, targets in kinds().items() if "judge" in targets]
        raise UsageError(
            f"'{text}' does not say which kind of judge it is; write KIND:MODEL.{did_you_mean(spec.model, judges)}"
        )
    built = build(spec, "judge")
    if not hasattr(built, "judge"):
        raise UsageError(f"'{text}' cannot be a judge: {type(built).__name__} has no method 'judge'")
    return typing.cast(Judge, built)


def identity_of(adapter: object) -> Identity:
    """Everything that an adapter's scores depend on.

    An adapter without a property `identity` is identified by the bytes of its module and its attributes, which is
    correct as long as it loads nothing else.

    Raises:
        ModelError: the adapter has no `identity`, and it has no source file or an attribute that is not a plain value;
            or its `identity` is no dict.
    """
    declared = getattr(adapter, "identity", None)
    if declared is not None:
        if not isinstance(declared, Mapping):
            raise ModelError(
                f"{type(adapter).__qualname__}.identity is {type(declared).__name__}; write a dict, such as "
                '{"version": 1}'
            )
        return typing.cast(Identity, declared)
    kind = type(adapter)
    try:
        file = inspect.getsourcefile(kind)
    except TypeError:  # a class that was defined in an interactive session
        file = None
    if file is None:
        raise ModelError(f"{kind.__qualname__} has no source file; give it a property 'identity'")
    state = dict(sorted(getattr(adapter, "__dict__", {}).items()))
    for name, value in state.items():
        if not _plain(value):
            raise ModelError(f"{kind.__qualname__}.{name} is not a plain value; give the class a property 'identity'")
    return {"adapter": f"{kind.__module__}:{kind.__qualname__}", "source": file_digest(Path(file)), "state": state}


def refuse_early(adapter: object) -> None:
    """Refuse an adapter that cannot work, before anything expensive is done.

    Raises:
        HarnessError: the adapter's own check fails, or it has no identity.
    """
    if isinstance(adapter, Checkable):
        adapter.check()
    if not isinstance(adapter, Bindable):
        identity_of(adapter)


def remarks_of(adapter: object) -> tuple[str, ...]:
    """Assumptions of an adapter that a reader of its scores should know; empty if it has no `remarks`."""
    return tuple(getattr(adapter, "remarks", ()))


def _plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(inner) for key, inner in value.items())
    return value is None or isinstance(value, str | int | float | bool)


def kinds() -> dict[str, dict[str, str]]:
    """Every kind, built in or from an entry point, with its target per part. Entry points are read once per process."""
    plugged = {name: {"retriever": target, "reranker": target} for name, target in _plugged()}
    return {**plugged, **_BUILT_IN}


@functools.cache
def _plugged() -> tuple[tuple[str, str], ...]:
    """Kinds of other packages with their targets. Cached, because listing packages takes milliseconds."""
    return tuple((entry.name, entry.value) for entry in importlib.metadata.entry_points(group=_ENTRY_POINTS))


def _split_kind(head: str) -> tuple[str | None, str]:
    if head in _WITHOUT_MODEL:
        return head, ""
    if _OBJECT.fullmatch(head) and head.split(":")[0] not in kinds():
        return "object", head
    matched = _KIND.fullmatch(head)
    if matched is None:
        return (head, "") if head in kinds() and "/" not in head else (None, head)
    kind, model = matched.groups()
    if kind not in kinds():
        raise UsageError(f"unknown kind '{kind}' in '{head}'.{did_you_mean(kind, [*kinds(), 'run', 'control'])}")
    return kind, model


def _split_revision(model: str) -> tuple[str, str | None]:
    name, at, revision = model.rpartition("@")
    return (name, revision) if at and name and "/" not in revision else (model, None)


def _options(text: str, query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=False)
    options = dict(pairs)
    may_be_empty = [name for name in _MAY_BE_EMPTY if f"{name}=" in query]
    if query and (not pairs or any(not name or not (value or name in may_be_empty) for name, value in pairs)):
        raise UsageError(f"'{text}': options are written ?name=value&name=value")
    if len(options) != len(pairs):
        raise UsageError(f"'{text}': an option occurs twice; give it once")
    return options


def _query(options: Mapping[str, str]) -> str:
    """Options as they are written in a spec, so that `parse` reads the same values again."""
    return "&".join(f"{name}={value.translate(_ESCAPED)}" for name, value in options.items())


def build(spec: Spec, part: Part) -> object:
    """The adapter that a spec names for a part, whatever its methods are."""
    target = spec.model if spec.kind == "object" else _target(spec, part)
    factory = _load(target, spec)
    model = [] if spec.kind == "object" or not spec.model else [spec.model]
    if getattr(factory, "takes_spec", False):
        return factory(spec)
    arguments = typed_options(spec.text, spec.options, factory)
    if spec.revision is not None:
        arguments["revision"] = spec.revision
    try:
        inspect.signature(factory).bind(*model, **arguments)
    except TypeError as error:
        raise UsageError(f"'{spec.text}': {error}; a spec is [kind:]model[@revision][?option=value]") from None
    return factory(*model, **arguments)


def _target(spec: Spec, part: Part) -> str:
    if part == "generator" and spec.kind is None and ("/" in spec.model or user_path(spec.model).exists()):
        return _LANGUAGE_MODEL  # its config says whether it is causal or sequence-to-sequence
    if part == "reranker" and spec.options.get("code") == "own" and spec.kind in _MAY_RUN_CODE:
        return _OWN_CODE
    kind = spec.kind or _inferred(spec, part)
    targets = kinds()[kind]
    if kind not in _BUILT_IN:
        return next(iter(targets.values()))  # a plug-in's entry point is one target for all parts
    if part not in targets:
        right = ", ".join(_NAMED_WITH[other] for other in targets)
        only = {"judge": "names a judge, which", "comparer": "only compares two documents, so it"}
        what = only.get("".join(targets), f"is a {kind}, which")
        raise ModelError(f"'{spec.text}' {what} cannot be {_CALLED[part]}; name it with {right}")
    return targets[part]


def _inferred(spec: Spec, part: Part) -> str:
    from adapters.kinds import kind_of
    from adapters.models import open_folder

    if "/" not in spec.model and not user_path(spec.model).exists():
        known = [kind for kind, targets in kinds().items() if part in targets]
        rankings = ["run:FILE", "control:NAME"] if part in {"retriever", "reranker"} else []
        hint = did_you_mean(spec.model, [*known, *rankings])
        raise UsageError(
            f"'{spec.text}' is neither a folder, nor a hub name (organisation/model), nor a kind; check the name.{hint}"
        )
    return kind_of(open_folder(spec.model, spec.revision))


def _load(target: str, spec: Spec) -> Callable[..., object]:
    module, _, attribute = target.partition(":")
    try:
        found = getattr(_imported(module, spec), attribute)
    except ModuleNotFoundError as error:
        if error.name != module and not module.startswith(f"{error.name}."):
            raise EnvironmentFailure(
                f"'{spec.text}': the module '{module}' needs the package '{error.name}': pip install {error.name}"
            ) from error
        hint = "" if "." in module else f", and no kind has that name.{did_you_mean(module, kinds())}"
        raise UsageError(f"'{spec.text}': no module '{module}' can be imported{hint}") from None
    except AttributeError:
        raise UsageError(f"'{spec.text}': the module '{module}' has no '{attribute}'") from None
    if not callable(found):
        raise UsageError(f"'{spec.text}': '{attribute}' of the module '{module}' is neither a class nor a function")
    return typing.cast(Callable[..., object], found)


def _imported(module: str, spec: Spec) -> types.ModuleType:
    """The module of a kind, or of a spec `module:Class`, which may also be a file of the working folder."""
    if spec.kind != "object":
        return importlib.import_module(module)
    try:
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError:
            allow_working_folder()
            return importlib.import_module(module)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # it is the user's code
        raise ModelError(f"'{spec.text}': importing '{module}' fails: {_where(error)}") from error


def _where(error: Exception) -> str:
    """An error with its file and line."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}: {type(error).__name__}: {' '.join(str(error).split())}"
