"""What a spec string promises: it names one adapter with its options, or says in one line what is wrong with it."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Literal

import numpy as np
import pytest

from adapters import spec
from adapters.errors import EnvironmentFailure, HarnessError, ModelError, UsageError
from adapters.protocols import Floats, IndexPairs
from adapters.spec import Spec, identity_of, inner_of, kinds, open_reranker, open_retriever, parse, with_option

MODULE = "spec_plugin_of_a_test"


class Plugin:
    """A reranker that does nothing but remember how it was made."""

    def __init__(
        self,
        model: str = "",
        *,
        revision: str | None = None,
        length: int = 0,
        share: float = 0.5,
        fast: bool = False,
        mode: Literal["a", "b"] = "a",
        level: Literal[1, 2] = 1,
        limit: int | None = 9,
        text: str | None = None,
    ) -> None:
        self.made: dict[str, object] = {"model": model, "revision": revision, "length": length, "share": share}
        self.made |= {"fast": fast, "mode": mode, "level": level, "limit": limit, "text": text}

    def score(self, queries: list[str], documents: list[str], pairs: IndexPairs) -> Floats:
        return np.zeros(len(pairs), np.float32)


class Plain:
    """A reranker without options, a model or an identity."""

    def score(self, queries: list[str], documents: list[str], pairs: IndexPairs) -> Floats:
        return np.zeros(len(pairs), np.float32)


class Neither:
    """Neither searches nor scores."""


class NeedsModel(Plain):
    def __init__(self, model: str) -> None:
        self.model = model


@pytest.fixture(autouse=True)
def plugin_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType(MODULE)
    module.Plugin, module.Plain, module.NeedsModel = Plugin, Plain, NeedsModel  # type: ignore[attr-defined]
    module.Neither, module.CONSTANT = Neither, 3  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, MODULE, module)


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A package that plugs in `mine`, and another that tries to take the name of a built-in kind; how often they were
    listed."""
    listed: list[str] = []
    group = "harness.adapters"
    entries = [
        importlib.metadata.EntryPoint("mine", f"{MODULE}:Plugin", group),
        importlib.metadata.EntryPoint("needs-model", f"{MODULE}:NeedsModel", group),
        importlib.metadata.EntryPoint("bm25", f"{MODULE}:Plugin", group),
    ]

    def found(**asked: str) -> list[importlib.metadata.EntryPoint]:
        listed.append("packages")
        return entries if asked == {"group": group} else []

    spec._plugged.cache_clear()
    monkeypatch.setattr(importlib.metadata, "entry_points", found)
    yield listed
    spec._plugged.cache_clear()


def made(text: str) -> dict[str, object]:
    built = open_reranker(text)
    assert isinstance(built, Plugin)
    return built.made


def model_folder(folder: Path, architecture: str, modules: tuple[str, ...] = ()) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    if modules:
        (folder / "modules.json").write_text(json.dumps([{"type": f"st.models.{name}"} for name in modules]))
    return str(folder)


@pytest.mark.parametrize(
    ("text", "kind", "model", "revision", "options"),
    [
        ("bm25", "bm25", "", None, {}),
        ("bm25?k1=0.9&b=0.4", "bm25", "", None, {"k1": "0.9", "b": "0.4"}),
        ("BAAI/bge-reranker-v2-m3", None, "BAAI/bge-reranker-v2-m3", None, {}),
        ("BAAI/bge-reranker-v2-m3@main", None, "BAAI/bge-reranker-v2-m3", "main", {}),
        ("cross-encoder:./run/checkpoint-1000", "cross-encoder", "./run/checkpoint-1000", None, {}),
        ("causal-lm:Qwen/Q@abc?max_length=512", "causal-lm", "Qwen/Q", "abc", {"max_length": "512"}),
        ("causal-lm:a/b?instruction=Find%20a%26b", "causal-lm", "a/b", None, {"instruction": "Find a&b"}),
        ("./a@b/model", None, "./a@b/model", None, {}),
        ("  bm25 ", "bm25", "", None, {}),
        ("my_package.my_module:MyReranker", "object", "my_package.my_module:MyReranker", None, {}),
        ("http://127.0.0.1:80/rerank", None, "http://127.0.0.1:80/rerank", None, {}),
    ],
)
def test_a_spec_is_kind_model_revision_and_options(
    text: str, kind: str | None, model: str, revision: str | None, options: dict[str, str]
) -> None:
    spec = parse(text)
    assert (spec.kind, spec.model, spec.revision, dict(spec.options)) == (kind, model, revision, options)


@pytest.mark.parametrize("text", ["", "  ", "?k1=1"])
def test_an_empty_name_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError, match="write for instance"):
        parse(text)


@pytest.mark.parametrize("text", ["bm25?k1", "bm25?k1=", "bm25?=1", "bm25?k1=1&b"])
def test_an_option_without_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="name=value"):
        parse(text)


def test_a_prompt_may_be_empty_and_nothing_else() -> None:
    assert parse("m?query_prompt=&document_prompt=").options == {"query_prompt": "", "document_prompt": ""}
    for text in ("m?query_prompt", "m?query_prompt=&max_length="):
        with pytest.raises(UsageError, match="options are written"):
            parse(text)


def test_an_option_that_stands_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="occurs twice"):
        parse("bm25?k1=1&k1=2")


def test_an_unknown_kind_is_answered_with_the_near_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown kind 'cross-encode'.*Did you mean cross-encoder"):
        parse("cross-encode:./mine")


def test_a_kind_misspelt_as_a_module_is_answered_with_the_near_ones() -> None:
    with pytest.raises(UsageError, match=r"no module 'embeder'.*Did you mean embedder"):
        open_retriever("embeder:mine")


def test_an_unknown_option_is_answered_with_the_near_ones() -> None:
    with pytest.raises(UsageError, match=r"unknown option 'lenght'\. Did you mean length\?.*Available: fast"):
        made(f"{MODULE}:Plugin?lenght=3")


def test_the_revision_is_not_an_option() -> None:
    with pytest.raises(UsageError, match="unknown option 'revision'"):
        made(f"{MODULE}:Plugin?revision=main")


def test_options_have_the_types_of_the_signature() -> None:
    options = "length=3&share=0.25&fast=true&mode=b&level=2&limit=none&text=none+of+it"
    expected = {"length": 3, "share": 0.25, "fast": True, "mode": "b", "level": 2, "limit": None, "text": "none of it"}
    built = made(f"{MODULE}:Plugin?{options}")
    assert {name: built[name] for name in expected} == expected
    assert type(built["length"]) is int
    assert type(built["level"]) is int
    assert made(f"{MODULE}:Plugin?limit=7&fast=false")["limit"] == 7
    assert made(f"{MODULE}:Plugin?text=none")["text"] is None


@pytest.mark.parametrize(
    ("option", "answer"),
    [
        ("length=3.5", "length=3.5 is not int"),
        ("share=half", "share=half is not float"),
        ("fast=yes", "fast=yes is not bool"),
        ("mode=c", "mode=c is not possible.*Available: a, b"),
        ("level=3", "level=3 is not possible.*Available: 1, 2"),
        ("limit=all", "limit=all is not int"),
        ("length=none", "length=none is not int"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(option: str, answer: str) -> None:
    with pytest.raises(UsageError, match=answer):
        made(f"{MODULE}:Plugin?{option}")


def test_an_object_of_a_module_is_used_without_being_registered() -> None:
    assert isinstance(open_reranker(f"{MODULE}:Plain"), Plain)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("no_such_package.part:Thing", "no module 'no_such_package.part'"),
        (f"{MODULE}:Missing", f"the module '{MODULE}' has no 'Missing'"),
        (f"{MODULE}:CONSTANT", "'CONSTANT'.* neither a class nor a function"),
        (f"{MODULE}:NeedsModel", "missing a required argument: 'model'"),
    ],
)
def test_an_object_that_cannot_be_made_is_told_in_one_line(text: str, answer: str) -> None:
    with pytest.raises(UsageError, match=answer) as caught:
        open_reranker(text)
    assert "\n" not in str(caught.value)


def test_a_module_that_fails_to_import_something_else_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_plugin_of_a_test.py").write_text("import a_package_that_is_not_installed\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EnvironmentFailure, match="needs the package 'a_package_that_is_not_installed': pip install "):
        open_reranker("broken_plugin_of_a_test:Thing")


def test_what_cannot_score_is_no_reranker_and_what_cannot_search_no_first_stage() -> None:
    with pytest.raises(UsageError, match="no method 'search'"):
        open_retriever(f"{MODULE}:Plain")
    with pytest.raises(UsageError, match="no method 'score'"):
        open_reranker(f"{MODULE}:Neither")


@pytest.mark.usefixtures("entry_points")
def test_an_entry_point_is_found_listed_and_used() -> None:
    assert kinds()["mine"] == {"retriever": f"{MODULE}:Plugin", "reranker": f"{MODULE}:Plugin"}
    built = made("mine:some/model@v2?length=4")
    assert (built["model"], built["revision"], built["length"]) == ("some/model", "v2", 4)
    assert made("mine")["model"] == ""


@pytest.mark.parametrize("value", ["a&b=c", "50 %41", "1 + 1", "文字"])
def test_a_spec_that_is_written_again_has_the_same_values(value: str) -> None:
    one = Spec("", "reranker", "some/model", "v2", {"prompt": value, "own": "x"})
    again = parse(inner_of(one, ("own",), "reranker:"))
    assert (again.model, again.revision, again.options) == ("some/model", "v2", {"prompt": value})
    longer = with_option(inner_of(one, ()), "dtype", "bfloat16")
    assert parse(longer).options == {"prompt": value, "own": "x", "dtype": "bfloat16"}


def test_the_installed_packages_are_listed_once(entry_points: list[str]) -> None:
    """Listed for every spec they are a quarter of the time of a small adaptation that goes on."""
    for text in ("mine", "bm25", "mine:some/model"):
        parse(text)
    kinds()
    assert entry_points == ["packages"]


def test_what_a_caller_does_to_the_kinds_is_not_kept() -> None:
    kinds()["bm25"] = {}
    kinds().clear()
    assert kinds()["bm25"]["retriever"].startswith("adapters.")


@pytest.mark.usefixtures("entry_points")
def test_an_entry_point_cannot_take_the_name_of_a_built_in_kind() -> None:
    assert kinds()["bm25"]["retriever"].startswith("adapters.")


@pytest.mark.usefixtures("entry_points")
@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("needs-model", "missing a required argument: 'model'"),
        ("needs-model:", "missing a required argument: 'model'"),
        ("needs-model:a/b@main", "unexpected keyword argument 'revision'"),
        ("cross-encoder", "missing a required argument: 'model'"),
        ("bm25:some/model", "too many positional arguments"),
    ],
)
def test_a_spec_that_does_not_fit_its_adapter_is_told_in_one_line(text: str, answer: str) -> None:
    with pytest.raises(UsageError, match=answer):
        open_reranker(text)


@pytest.mark.parametrize("spelling", ["{}", "cross-encoder:{}"])
def test_a_cross_encoder_is_refused_as_a_first_stage(tmp_path: Path, spelling: str) -> None:
    folder = model_folder(tmp_path / "ce", "BertForSequenceClassification")
    with pytest.raises(HarnessError, match=r"is a cross-encoder, which cannot be a first stage.*--reranker"):
        open_retriever(spelling.format(folder))


def test_the_kind_is_inferred_from_the_folder(tmp_path: Path) -> None:
    causal = open_reranker(f"{model_folder(tmp_path / 'lm', 'Qwen3ForCausalLM')}?template=qwen3")
    assert type(causal).__name__ == "CausalLMReranker"


def test_a_folder_that_does_not_say_its_kind_asks_for_it(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "x", "")
    (Path(folder) / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match=r"names no architecture.*say which kind it is, as in 'cross-encoder:"):
        open_reranker(folder)


@pytest.mark.parametrize("kind", ["", "cross-encoder:", "embedder:"])
def test_a_bare_encoder_is_refused_without_advice_that_leads_nowhere(tmp_path: Path, kind: str) -> None:
    folder = model_folder(tmp_path / "x", "BertModel")
    with pytest.raises(ModelError, match=r"names 'BertModel', which has no head.*name a model that was trained as one"):
        open_reranker(f"{kind}{folder}")


def test_a_folder_without_a_config_is_said_to_have_none(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        open_reranker(str(tmp_path))


def test_an_adapter_is_identified_by_what_it_declares() -> None:
    class Declared(Plain):
        def __init__(self) -> None:
            self.identity = {"adapter": "declared/1"}

    assert identity_of(Declared()) == {"adapter": "declared/1"}


def test_an_adapter_that_declares_nothing_is_identified_by_its_source_and_its_attributes() -> None:
    assert identity_of(NeedsModel("a")) == identity_of(NeedsModel("a"))
    assert identity_of(NeedsModel("a")) != identity_of(NeedsModel("b"))
    assert identity_of(NeedsModel("a"))["source"]


def test_an_adapter_without_a_source_file_has_to_declare_its_identity() -> None:
    typed_in = type("TypedIn", (Plain,), {"__module__": "__no_such_module__"})
    with pytest.raises(ModelError, match="give it a property 'identity'"):
        identity_of(typed_in())
