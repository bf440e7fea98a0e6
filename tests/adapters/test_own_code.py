"""Options, families and the process of code that folders bring: without them, a wrong call would look like a score."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapters import own_code_client
from adapters.errors import ModelError, UsageError
from adapters.own_code_client import OwnCodeProcess, versions_of
from adapters.protocols import Setting
from adapters.reranker_family import CLASSES, families
from adapters.spec import identity_of, open_ranker, remarks_of
from tests.conformance.foreign_code import folder_of

fcntl = pytest.importorskip("fcntl", reason="locks tell when a process is gone")
ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "adapters" / "own_code_process.py"
FAKE = """
__version__ = "5.0.0"
import json, os, pathlib, sys, time
here = pathlib.Path(__file__).parent

class Network:
    def named_parameters(self): return []
    def eval(self): return self
    def to(self, device): return self
    def compute_score(self, pairs):
        print("scoring")
        return [eval(document) for _, document in pairs]

class AutoModel:
    @staticmethod
    def from_pretrained(folder, **_):
        exec((here / "first.py").read_text())
        return Network(), {"missing_keys": [], "mismatched_keys": []}
"""
LOCKED = """
import fcntl
lock = open(here / "lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
(here / "started").write_text("")
time.sleep(60)
(here / "lived on").write_text("")
"""
ASK = """
import pathlib, sys
from adapters.own_code_client import OwnCodeProcess
call = {"call": "compute_score", "auto": "AutoModel", "folder": "x", "device": "cpu", "dtype": "float32",
        "pickle": False, "attention": None, "max_length": None}
OwnCodeProcess("m", call, pathlib.Path(sys.argv[1])).ask({"prepare": {"queries": [], "documents": [], "pairs": []}})
"""
CALL = {
    "call": "compute_score", "auto": "AutoModel", "folder": "x", "device": "cpu", "dtype": "float32", "pickle": False,
    "attention": None, "max_length": None,
}  # fmt: skip


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Libraries that load in no time, and run first.py when a model is loaded."""
    folder = tmp_path / "libraries"
    folder.mkdir()
    (folder / "transformers.py").write_text(FAKE)
    (folder / "torch.py").write_text("float32 = 'float32'\nfrom contextlib import nullcontext as no_grad")
    (folder / "first.py").write_text("")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(ROOT)]))
    return folder


def process_of(folder: Path) -> OwnCodeProcess:
    return OwnCodeProcess("model", CALL, folder)


def scored(process: OwnCodeProcess, *documents: str) -> list[float]:
    pairs = [[0, place] for place in range(len(documents))]
    process.ask({"prepare": {"queries": ["q"], "documents": documents, "pairs": pairs}})
    found: list[float] = process.ask({"score": list(range(len(documents)))})["scores"]
    return found


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_the_process_ends_with_the_one_that_started_it(tmp_path: Path, fake: Path, how: signal.Signals) -> None:
    (fake / "first.py").write_text(LOCKED)
    run = subprocess.Popen([sys.executable, "-c", ASK, str(tmp_path)], stderr=subprocess.DEVNULL)
    while not (fake / "started").exists():
        assert run.poll() is None
    run.send_signal(how)
    assert run.wait() != 0
    with (fake / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    assert not (fake / "lived on").exists()


def test_the_process_ends_when_its_input_is_closed(fake: Path) -> None:
    """Where the system does not tie a process to its parent, this does."""
    (fake / "first.py").write_text(LOCKED)
    with subprocess.Popen([sys.executable, str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps({"load": CALL, "path": []}).encode() + b"\n")
        process.stdin.flush()
        while not (fake / "started").exists():
            assert process.poll() is None
        process.stdin.close()
        assert process.wait() == 1
    assert not (fake / "lived on").exists()


def test_code_that_never_ends_is_ended_and_the_limit_is_named(
    tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fake / "first.py").write_text("while True: pass")
    monkeypatch.setattr(own_code_client, "LOAD_SECONDS", 1.0)
    with pytest.raises(ModelError, match=r"'model': .* took longer than 0 minutes and was ended while loading$"):
        scored(process_of(tmp_path), "1")


@pytest.mark.usefixtures("fake")
def test_an_error_of_one_request_leaves_the_process_as_it_is(tmp_path: Path) -> None:
    process = process_of(tmp_path)
    assert scored(process, "0.1", "1e30") == [0.1, 1e30]
    with pytest.raises(ModelError, match=r"'model': its own code fails: ZeroDivisionError: division by zero$"):
        scored(process, "1/0")
    assert scored(process, "2") == [2.0]
    with pytest.raises(ModelError, match=r"ended with 7 \(scoring\)$"):
        scored(process, "os._exit(7)")


def test_a_wrong_number_of_scores_is_refused(tmp_path: Path, fake: Path) -> None:
    (fake / "first.py").write_text("Network.compute_score = lambda self, pairs: [1.0, 2.0, 3.0]")
    with pytest.raises(ModelError, match="compute_score gives 3 scores for 2 pairs"):
        scored(process_of(tmp_path), "1", "2")


def test_one_score_may_come_without_a_list(tmp_path: Path, fake: Path) -> None:
    (fake / "first.py").write_text("Network.compute_score = lambda self, pairs: 0.25")
    assert scored(process_of(tmp_path), "1") == [0.25]


@pytest.mark.usefixtures("fake")
def test_a_large_request_arrives_whole(tmp_path: Path) -> None:
    assert scored(process_of(tmp_path), "1" + " " * 3_000_000, "2") == [1.0, 2.0]


def test_folders_of_the_working_directory_and_of_this_package_are_not_imported(
    tmp_path: Path, fake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (fake / "first.py").write_text("import errors")  # adapters/errors.py lies in the folder of the script
    monkeypatch.chdir(tmp_path)
    (tmp_path / "json").mkdir()
    (tmp_path / "json" / "__init__.py").write_text("raise RuntimeError('the wrong one')")
    with pytest.raises(ModelError, match="No module named 'errors'"):
        scored(process_of(tmp_path), "1")


def test_the_script_is_written_for_old_pythons_and_imports_nothing_of_ours() -> None:
    tree = ast.parse(SCRIPT.read_text(), feature_version=(3, 9))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"torch", "transformers"}


def test_versions_of_the_process_are_asked_for() -> None:
    import transformers

    versions = {"python": f"3.{sys.version_info.minor}", "transformers": transformers.__version__}
    assert versions_of(None) == versions
    with pytest.raises(UsageError, match=r"\?python=/no/such/python: there is no such file"):
        versions_of("/no/such/python")
    with pytest.raises(UsageError, match="is no Python with the packages transformers and torch"):
        versions_of("/bin/true" if Path("/bin/true").is_file() else "/usr/bin/true")


PUBLISHED = {
    "NewForSequenceClassification": ("pair", "pair"),
    "JinaBertForSequenceClassification": ("pair", "pair"),
    "XLMRobertaFlashForSequenceClassification": ("pair", "pair"),
    "LlamaBidirectionalForSequenceClassification": ("text", "text"),
    "LayerWiseMiniCPMForCausalLM": ("layers", "layers"),
    "CostWiseGemmaForCausalLM": ("layers", "layers"),
    "JinaVLForRanking": ("compute_score", "compute_score"),
    "JinaForRanking": ("rerank", "rerank"),
}
"""The class that a folder names, the shape that stands for it here, and its call."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_family_is_known_by_its_class(tmp_path: Path, name: str) -> None:
    shape, call = PUBLISHED[name]
    reranker = open_ranker(f"{folder_of(tmp_path / 'own', shape, name=name)}?code=own")
    identity = identity_of(reranker)
    assert identity["call"] == call
    assert ("template" in identity) == (call in ("text", "layers"))
    assert identity["process"] == versions_of(None)
    assert hasattr(reranker, "order") == (call == "rerank")


def test_every_family_is_among_those_that_are_tested() -> None:
    coded = [family for family in families().values() if family.code is not None]
    assert {name for family in coded for name in family.recognised.architectures} == set(PUBLISHED)


def test_the_documentation_lists_every_family_and_call() -> None:
    text = (ROOT / "docs" / "templates.md").read_text("utf-8")
    for name, family in families().items():
        for architecture in family.recognised.architectures if family.code else ():
            assert f"`{architecture}` | `{family.code.call}`" in text  # type: ignore[union-attr]
            assert family.body is None or f"template `{name}`" in text
    assert all(f"| `{call}` | " in text for call in CLASSES)


def test_identity_holds_the_code_and_how_it_is_called(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "own", "layers", name="LayerWiseMiniCPMForCausalLM")
    specs = ["", "&layer=3", "&template=bge-lightweight", "&compress_ratio=2&compress_layers=1,2", "&max_length=64"]
    identities = [json.dumps(identity_of(open_ranker(f"{folder}?code=own{more}"))) for more in specs]
    (folder / "names.py").write_text('HEAD = "classifier" \n')
    identities.append(json.dumps(identity_of(open_ranker(f"{folder}?code=own"))))
    assert len(set(identities)) == len(identities)
    assert str(tmp_path) not in identities[0]


def test_the_last_layer_is_said_to_be_assumed(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "own", "layers", name="LayerWiseMiniCPMForCausalLM")
    assert remarks_of(open_ranker(f"{folder}?code=own&layer=6")) == ()
    assert remarks_of(open_ranker(f"{folder}?code=own"))[0].startswith("scored after layer 6, the last one")


def test_an_instruction_of_the_collection_reaches_a_template_with_a_place_for_it(tmp_path: Path) -> None:
    template = tmp_path / "mine.toml"
    template.write_text('body = "{instruction} q: {query} d: {document}"\ninstruction = "default"')
    spec = f"{folder_of(tmp_path / 'own', 'text')}?code=own&call=text&template={template}"
    setting = Setting([], "", instruction="theirs")
    bound = open_ranker(spec).bind(setting)  # type: ignore[union-attr]
    assert identity_of(open_ranker(spec))["instruction"] == "default"
    assert identity_of(bound)["instruction"] == "theirs"
    fixed = open_ranker(f"{spec}&instruction=mine")
    assert identity_of(fixed.bind(setting))["instruction"] == "mine"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("call", "options", "message"),
    [
        ("pair", "", r"is of no known family \(Own\), so nothing says how.*\?code=own&call=NAME"),
        ("pair", "&call=layers", r"call=layers loads AutoModelForCausalLM, and its auto_map has only AutoModelForSeq"),
        ("text", "&call=text", r"nothing says which text call=text is given; name a template"),
    ],
)
def test_nothing_is_guessed_about_an_unknown_folder(tmp_path: Path, call: str, options: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        open_ranker(f"{folder_of(tmp_path / 'own', call)}?code=own{options}")


@pytest.mark.parametrize(
    ("call", "options", "message"),
    [
        ("pair", "template=qwen3", "call=pair makes no text; leave template out"),
        ("pair", "instruction=x", "call=pair makes no text; leave instruction out"),
        ("pair", "layer=3", "call=pair has no layers to choose from; leave layer out"),
        ("pair", "batch_tokens=0", "batch_tokens=0 must be at least 1"),
        ("pair", "max_length=0", "max_length=0 must be at least 1"),
        ("rerank", "max_length=64", "call=rerank cuts texts as the model's code does; leave max_length out"),
        ("text", "template=nemotron&instruction=x", "has no place for an instruction"),
        ("layers", "template=nemotron&layer=1", "layer=1: .* has scores after layers 2 to 6, every 1"),
        ("layers", "template=nemotron&compress_ratio=2", "compress_ratio, 2 or more, and compress_layers belong"),
        ("layers", "template=nemotron&compress_layers=1", "compress_ratio, 2 or more, and compress_layers belong"),
        ("layers", "template=nemotron&compress_ratio=2&compress_layers=1,x", "layers from 0 to 5, with commas"),
    ],
)
def test_options_without_use_or_out_of_range_are_refused(tmp_path: Path, call: str, options: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_ranker(f"{folder_of(tmp_path / 'own', call)}?code=own&call={call}&{options}")


def test_a_template_that_goes_on_behind_the_document_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('body = "d: {document} q: {query}"')
    with pytest.raises(UsageError, match=r"the text after \{document\} belongs in 'suffix'"):
        open_ranker(f"{folder_of(tmp_path / 'own', 'text')}?code=own&call=text&template={tmp_path / 'mine.toml'}")


def test_code_that_is_named_and_not_there_is_missed_before_anything_runs(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "own", "pair")
    (folder / "modeling.py").unlink()
    with pytest.raises(ModelError, match=r"is modeling\.Own\w*, and there is no modeling\.py in the folder"):
        identity_of(open_ranker(f"{folder}?code=own&call=pair"))


def test_a_folder_without_code_has_no_use_for_the_option(tmp_path: Path) -> None:
    from adapters import tiny

    with pytest.raises(ModelError, match=r"names no code of its own \(auto_map\); leave \?code=own out"):
        open_ranker(f"{tiny.cross_encoder(tmp_path / 'plain')}?code=own")


def test_modules_of_its_own_are_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "own", "pair")
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": "custom_st.Mine"}]))
    with pytest.raises(ModelError, match=r"names custom_st\.Mine, and \?code=own runs models of transformers alone"):
        open_ranker(f"{folder}?code=own&call=pair")
