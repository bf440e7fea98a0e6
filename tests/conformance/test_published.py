"""Every family of rerankers and embedders: a wrong prompt, token, head or cut would give scores like any others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters import embedder_family, reranker_family
from adapters.errors import HarnessError
from adapters.models import ModelFolder
from adapters.spec import open_ranker, remarks_of
from tests.conformance import families_table, published_embedders
from tests.conformance.measured import of_embedder, of_reranker
from tests.conformance.published import CASES

pytest.importorskip("sentence_transformers", reason="the reference needs the extra 'models'")
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "families.json"
OWN_CODE = {name for name, case in CASES.items() if "code" in case.options}
"""Each call of these is tested in test_own_code.py; here every one is opened, and benchmarks/families.py scores it."""


@pytest.mark.parametrize("name", [name for name in CASES if name not in OWN_CODE])
def test_a_reranker_has_the_scores_of_its_reference(tmp_path: Path, name: str) -> None:
    """200 pairs, in batches and alone, padded on the left and on the right, cut and whole."""
    if name == "rankllama":
        pytest.importorskip("peft", reason="LoRA adapters need the extra 'lora'")
    found = of_reranker(CASES[name], tmp_path / "model", every=20)
    assert found["spread"] > 0.5, "the model distinguishes the pairs, so equality means something"
    assert max(found["cut"].values()) > 0
    assert found["differences"] == pytest.approx(dict.fromkeys(found["differences"], 0), abs=1e-4)


@pytest.mark.parametrize("family", published_embedders.USES)
def test_an_embedder_has_the_similarities_of_its_reference(tmp_path: Path, family: str) -> None:
    found = of_embedder(family, tmp_path / "model", every=20)
    assert found["spread"] > 0.1
    assert found["differences"] == pytest.approx(dict.fromkeys(found["differences"], 0), abs=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_wrong_readings_are_refused_in_one_line(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    folder = case.build(tmp_path / "model")
    for options, message in case.wrong:
        with pytest.raises(HarnessError, match=message) as error:
            ranker = open_ranker(f"{folder}?{options}" if options else str(folder))
            ranker.score(["q"], ["d"], [[0, 0]])  # type: ignore[union-attr, call-overload]
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", CASES)
def test_recognising_a_folder_reads_no_weights(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    folder = case.build(tmp_path / "model")
    for weights in folder.rglob("*.safetensors"):
        if weights.name != "adapter_model.safetensors":  # its header says how many scores there are
            weights.write_bytes(b"no weights")
    assert remarks_of(open_ranker(case.spec(folder))) is not None


@pytest.mark.parametrize("name", ["minilm", "electra", "bge", "mxbai-v1", "gte-modernbert", "encoder", "nli"])
def test_a_classifier_is_recognised_by_its_class_and_its_labels(tmp_path: Path, name: str) -> None:
    folder = ModelFolder("m", CASES[name].build(tmp_path / "model"))
    labels = 3 if name == "nli" else 1
    assert reranker_family.family_of_classifier(folder.architecture, labels) == name


def test_every_family_has_a_case_and_a_source() -> None:
    rerankers, embedders = reranker_family.families(), embedder_family.families()
    assert {case.family for case in CASES.values()} == rerankers.keys()
    assert rerankers.keys() <= CASES.keys()
    assert published_embedders.USES.keys() == embedders.keys()
    for one in (*rerankers.values(), *embedders.values()):
        assert one.models
        assert one.source.startswith("https://")


def test_the_page_says_what_was_measured() -> None:
    found = json.loads(RESULTS.read_text("utf-8"))
    assert found["rerankers"].keys() == CASES.keys()
    assert found["embedders"].keys() == published_embedders.USES.keys()
    page = (ROOT / "docs" / "models.md").read_text("utf-8")
    for rows in (families_table.rerankers(found), families_table.embedders(found)):
        assert "\n".join(rows) in page
    largest = [row["largest"] for section in ("rerankers", "embedders") for row in found[section].values()]
    assert max(largest) < 1e-4
