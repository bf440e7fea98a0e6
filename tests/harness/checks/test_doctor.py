"""What is missing is said with its cure, and only what is broken is an error."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from harness.checks import doctor as module
from harness.checks.doctor import EXTRAS, Finding, examine
from harness.workspace import Workspace
from tests.tiny_collection import Place

ROOT = Path(__file__).parents[3]


def by_subject(place: Place) -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(place.workspace)}


def test_a_missing_extra_is_absent_with_its_pip_line_and_breaks_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = module._version
    monkeypatch.setattr(module, "_version", lambda name: None if name == "onnxruntime" else real(name))
    found = by_subject(place)
    assert found["extra onnx"].state == "absent"
    assert found["extra onnx"].detail == "without onnxruntime; pip install 'rerank-harness[onnx]'"
    assert not [finding for finding in found.values() if finding.state == "broken"]


def test_a_missing_core_package_is_broken(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._version
    monkeypatch.setattr(module, "_version", lambda name: None if name == "pyarrow" else real(name))
    assert by_subject(place)["pyarrow"].state == "broken"


def test_the_package_that_shadows_trec_eval_is_broken(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module._version
    monkeypatch.setattr(module, "_version", lambda name: "0.5" if name == "pytrec-eval" else real(name))
    assert by_subject(place)["pytrec-eval"].detail.endswith("pip uninstall pytrec-eval")


def test_every_extra_of_the_package_is_looked_at() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert set(EXTRAS) == set(declared) - {"all"}
    for extra, names in EXTRAS.items():
        wanted = {re.split(r"[<>=\[]", line)[0].lower() for line in declared[extra]} - {"rerank-harness"}
        assert wanted <= {name.lower() for name in names}, f"doctor does not look for all of [{extra}]"


def test_a_workspace_that_is_not_there_is_absent_and_is_not_made(place: Place) -> None:
    missing = place.path / "missing"
    (found,) = [finding for finding in examine(Workspace(missing)) if finding.subject == "workspace"]
    assert found.state == "absent"
    assert not missing.exists()


def test_a_workspace_that_is_a_file_is_broken(place: Place) -> None:
    (found,) = [one for one in examine(Workspace(place.log())) if one.subject == "workspace"]
    assert (found.state, "is a file" in found.detail) == ("broken", True)


def test_sound_stores_are_counted(place: Place) -> None:
    place.evaluations(rerankers=["tests.fake_adapters:Plain"])
    found = by_subject(place)
    assert (found["results"].state, found["results"].detail) == ("ok", "2 evaluations")
    assert found["ledger"].state == "ok"
    assert found["ledger"].detail.startswith("34 pairs in ")  # 18 candidates, 16 of the orientation probe


@pytest.mark.parametrize("store", ["ledger", "results"])
def test_a_store_that_is_no_store_is_broken(place: Place, store: str) -> None:
    getattr(place.workspace, store).write_bytes(b"notes " * 2000)
    assert by_subject(place)[store].state == "broken"


def test_little_space_on_the_disk_is_a_warning(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ENOUGH_FREE", 1 << 80)
    assert by_subject(place)["disk"].state == "warning"


def test_every_finding_is_plain_json(place: Place) -> None:
    assert {tuple(finding.as_dict()) for finding in examine(place.workspace)} == {("subject", "state", "detail")}
