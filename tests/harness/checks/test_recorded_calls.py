"""Which forward made the scores is shown with them; otherwise nobody could say why a run has other last digits."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import tiny
from adapters.budgets import CallRecord, model_key, recorded, save_record
from adapters.spec import identity_of, open_reranker
from adapters.sums import DAMAGED
from harness.checks.doctor import examine
from harness.judging.reproduce import reproduce
from harness.progress import Silent
from harness.result.evaluation import Evaluation
from harness.result.forgetting.plan import ForgetRequest, planned
from harness.result.store import Results
from harness.running.experiment import evaluate, experiment
from harness.scoring.ground import CandidatePool
from harness.scoring.session import Session, opened
from harness.scoring.system import System, systems
from reports.tables.listing import details, outline
from tests.tiny_collection import FIRST, Place

LINE = "packed forward on cpu, 2,048 tokens per call"


class Notes(Silent):
    """Keeps the notes of a run."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def spec(place: Place) -> str:
    pytest.importorskip("transformers")
    return f"{tiny.cross_encoder(place.path / 'model', seed=1)}?device=cpu"


def run(place: Place, spec: str, notes: Notes | None = None) -> Evaluation:
    collections = [place.load()]
    chosen = systems(FIRST, [spec], 5, place.workspace)
    with opened(place.workspace, notes or Notes()) as session:
        return list(experiment(collections, chosen, ["nDCG@10"], session, skip_probe=True))[1]


def test_log_show_and_doctor_say_which_forward_runs(place: Place, spec: str) -> None:
    notes = Notes()
    done = run(place, spec, notes)
    assert [line for line in notes.lines if "forward" in line] == [f"{spec}: {LINE}"]
    assert details(done.id, place.workspace.path)["audit"]["calls"] == {  # type: ignore[index]
        "cpu": {"path": "packed", "batch_tokens": 2048}
    }
    assert "path: packed" in outline(details(done.id, place.workspace.path))
    (found,) = [one for one in examine(place.workspace) if one.subject == f"model {spec}"]
    assert found.state == "ok"
    assert found.detail.endswith(f"; {LINE}")


def test_a_run_without_new_pairs_keeps_what_was_recorded(place: Place, spec: str) -> None:
    done = run(place, spec)
    for file in (place.workspace.cache / "calls").iterdir():
        file.unlink()
    notes = Notes()
    assert run(place, spec, notes).id == done.id
    assert not [line for line in notes.lines if "forward" in line]
    with Results(place.workspace.results) as results:
        assert results.find(done.id).audit.calls["cpu"].path == "packed"


def test_a_system_without_a_model_records_nothing(place: Place) -> None:
    done = run(place, "tests.fake_adapters:Plain")
    assert "calls" not in details(done.id, place.workspace.path)["audit"]  # type: ignore[operator]


def test_reproduce_calls_the_model_as_it_was_called(place: Place, spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = identity_of(open_reranker(spec))
    record = CallRecord(model_key(identity), "cpu", "plain", 300)
    save_record(place.workspace.cache / "calls", record)
    done = run(place, spec)
    seen: list[tuple[CallRecord, ...]] = []

    def watched(ground: CandidatePool, system: System, session: Session) -> Evaluation:
        made = evaluate(ground, system, session)
        seen.append(made.calls)
        return made

    monkeypatch.setattr("harness.judging.reproduce.evaluate", watched)
    assert reproduce(place.workspace, done.id).state == "OK"
    assert seen == [(record,)]


def test_doctor_names_a_damaged_record_and_leaves_it(place: Place, spec: str) -> None:
    run(place, spec)
    (file,) = (place.workspace.cache / "calls").iterdir()
    file.write_text(file.read_text().replace("2048", "4096"))
    broken = [one for one in examine(place.workspace) if one.subject == "calls" and one.state == "broken"]
    assert any(str(file) in one.detail for one in broken)
    assert [one.name for one in file.parent.iterdir() if one.suffix == DAMAGED] == []


def test_records_stay_where_vectors_are_forgotten(place: Place, spec: str) -> None:
    done = run(place, spec)
    (place.workspace.cache / "terms-x.npz").write_bytes(b"x")
    going = [file.name for file in planned(place.workspace, ForgetRequest(vectors=True)).files]
    assert going == ["terms-x.npz"]
    assert recorded(place.workspace.cache, identity_of(open_reranker(spec))) == done.calls


def test_an_older_store_without_the_fact_is_read(place: Place, spec: str, tmp_path: Path) -> None:
    done = run(place, spec)
    with Results(place.workspace.results) as results:
        known = results.find(done.id).audit
    older = {key: value for key, value in known.as_dict().items() if key != "calls"}
    assert type(known).of(older, str(tmp_path)).calls == {}
