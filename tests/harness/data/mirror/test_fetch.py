"""A mirror has all that a machine without a network needs. The sizes are shown first, and no piece is incomplete."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, EnvironmentFailure, HarnessError, UsageError
from harness.data.mirror import fetch as module
from harness.data.mirror.fetch import Piece, fetch, plan_fetch, run_fetch
from harness.data.mirror.hub_folder import unfinished
from harness.data.sources import irds_library
from harness.data.sources.beir_download import VARIABLE
from harness.data.sources.build import collection_of
from harness.data.sources.origin import SourceChoice
from harness.data.sources.suite_source import suite_sources
from harness.data.suites.targets import SuiteCollection
from harness.progress import Silent
from harness.workspace import Workspace
from tests import mirror_of_hub as hub_files
from tests.fake_hub import Hub, Unreachable, connected
from tests.local_server import Reply, serving

SCIFACT = hub_files.entry_of("beir/scifact")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    return connected(monkeypatch)


class Notes(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.steps: list[int] = []

    def note(self, text: str) -> None:
        self.lines.append(text)

    @contextmanager
    def stage(self, title: str, total: int | None) -> Iterator[Callable[[int], None]]:
        yield self.steps.append


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


def refused(error: type[HarnessError], *targets: str, **options: Any) -> str:
    with pytest.raises(error) as caught:
        run_fetch(targets, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize("spec", ["bm25", "run:a.trec", "control:oracle", "./mine", "packaged:x", "a.b:C", "/a/b"])
def test_a_model_that_is_not_of_the_hub_is_refused(mirror: Path, spec: str) -> None:
    assert "is not a model of the hub" in refused(UsageError, models=[spec], mirror=mirror)


def test_a_dry_run_tells_everything_and_touches_nothing(hub: Hub, mirror: Path) -> None:
    dataset, model = run_fetch(["beir/scifact"], ["some/model"], mirror, "mteb", dry_run=True)
    (zip_,) = run_fetch(["beir/scifact"], mirror=mirror, source="beir", dry_run=True)
    (irds,) = run_fetch(["beir/scifact"], mirror=mirror, source="irds", dry_run=True)
    assert [(piece.label, piece.size) for piece in (dataset, model, zip_, irds)] == [
        (f"dataset mteb/scifact@{SCIFACT.mteb.revision}", "9 bytes"),
        ("model some/model", "116 bytes"),
        ("zip scifact.zip", "2.8 MB"),
        ("irds beir/scifact/test", "unknown size"),
    ]
    assert not mirror.exists()
    assert hub.downloads == []
    assert json.loads(json.dumps(dataset.as_dict())) == {
        "kind": "dataset",
        "name": "mteb/scifact",
        "revision": SCIFACT.mteb.revision,
        "bytes": 9,
        "there": False,
        "path": str(dataset.path),
    }


def test_each_piece_is_brought_once_however_often_it_is_named(hub: Hub, mirror: Path) -> None:
    hub.files["mteb/MIRACLRetrieval"] = {"README.md": b""}
    names = [piece.name for piece in plan_fetch(["miracl", "mteb/MIRACLRetrieval/sw"], mirror, source="mteb")]
    assert names == ["mteb/MIRACLRetrieval"], "one dataset has all languages"
    zips = [piece.name for piece in plan_fetch(["beir"], mirror, source="beir")]
    assert len(zips) == 15
    assert zips.count("cqadupstack.zip") == 1


def test_sizes_are_said_before_anything_is_fetched(hub: Hub, mirror: Path) -> None:
    notes = Notes()
    hub.error = Unreachable("no route")
    with pytest.raises(EnvironmentFailure):
        run_fetch(["beir/scifact"], ["some/model"], mirror, "mteb", notes)
    assert notes.lines[0] == f"2 to fetch into {mirror}: 2 of unknown size"
    assert hub.asked == ["mteb/scifact"] * 2, "a hub that does not answer is not asked for every size"
    hub.error = None
    run_fetch(["beir/scifact"], ["some/model"], mirror, "mteb", notes)
    run_fetch(["beir/scifact"], ["some/model"], mirror, "mteb", notes)
    assert notes.lines[2:] == [
        f"2 to fetch into {mirror}: 125 bytes",
        f"fetching dataset mteb/scifact@{SCIFACT.mteb.revision}, 9 bytes (1 of 2)",
        "fetching model some/model, 116 bytes (2 of 2)",
        "nothing to fetch, 2 already there",
    ]


def test_a_disk_without_enough_space_is_refused_before_anything_is_fetched(
    hub: Hub, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", ["total", "used", "free"])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 2, 8))
    message = refused(EnvironmentFailure, "beir/scifact", mirror=mirror, source="mteb")
    assert message == f"{mirror}: 9 bytes are needed and 8 are free on the disk; free some space"
    assert hub.downloads == []
    assert not mirror.exists()
    part = unfinished(plan_fetch(["beir/scifact"], mirror, source="mteb")[0].path)
    part.mkdir(parents=True)
    (part / "README.md").write_bytes(b"---")
    run_fetch(["beir/scifact"], mirror=mirror, source="mteb")


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("targets", "options", "answer"),
    [
        (["beir/scifat"], {}, "Did you mean beir/scifact"),
        (["bier"], {}, "Did you mean beir"),
        (["miracl/sw"], {"source": "beir"}, "miracl/sw: the source 'beir' does not have it"),
        ([], {}, "nothing to fetch; name a suite such as beir/scifact, or a model with --model"),
        (["beir/scifact"], {"mirror": None}, "name a folder with --mirror or HARNESS_MIRROR"),
        (["beir/scifact"], {"mirror": Path(__file__)}, "is a file; name a folder with --mirror"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(
    mirror: Path, targets: Sequence[str], options: dict[str, Any], answer: str
) -> None:
    assert answer in refused(UsageError, *targets, **{"mirror": mirror, **options})


def zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, rows in (("corpus", hub_files.DOCUMENTS), ("queries", hub_files.QUERIES)):
            archive.writestr(f"scifact/{name}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        lines = ["query-id\tcorpus-id\tscore", *("\t".join(map(str, row.values())) for row in hub_files.QRELS)]
        archive.writestr("scifact/qrels/test.tsv", "\n".join([*lines, ""]))
    return content.getvalue()


def small(monkeypatch: pytest.MonkeyPatch, content: bytes) -> SuiteCollection:
    """SciFact's row with the sizes of a small stand-in."""
    assert SCIFACT.beir is not None
    zip_ = replace(SCIFACT.beir, md5=hashlib.md5(content).hexdigest(), bytes=len(content))
    entry = replace(hub_files.sized(SCIFACT), beir=zip_)
    monkeypatch.setattr("harness.data.sources.suite_source.find", lambda _: [entry])
    return entry


def loaded(mirror: Path, path: Path, **origin: Any) -> list[str]:
    (source,) = suite_sources("beir/scifact", origin=SourceChoice(mirror=mirror, **origin))
    return list(collection_of(source, Workspace.open(path)).corpus)


def test_a_zip_file_is_resumed_and_then_read_from_the_mirror(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = zipped()
    entry = small(monkeypatch, content)
    monkeypatch.setattr("time.sleep", lambda _: None)
    notes = Notes()
    with serving({"/scifact.zip": content}, [Reply(stop_after=100), *[Reply(503)] * 5]) as server:
        monkeypatch.setenv(VARIABLE, server.url)
        message = refused(EnvironmentFailure, "beir/scifact", mirror=mirror, source="beir")
        assert "100 bytes are kept" in message
        assert not plan_fetch(["beir/scifact"], mirror, source="beir")[0].there
        server.script.clear()
        (piece,) = run_fetch(["beir/scifact"], mirror=mirror, source="beir", reporter=notes)
        assert server.ranges[-1] == "bytes=100-"
        assert server.sent == len(content)
        run_fetch(["beir/scifact"], mirror=mirror, source="beir")
        assert server.sent == len(content), "what is there is not fetched again"
    assert sum(notes.steps) == entry.beir.bytes  # type: ignore[union-attr]
    assert piece.path == mirror / "beir" / "scifact.zip"
    assert loaded(mirror, tmp_path / "workspace", source="beir")[0] == "Ferry The boat leaves at nine."


def test_a_truncated_zip_file_in_the_mirror_is_not_taken_for_whole(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = zipped()
    small(monkeypatch, content)
    (mirror / "beir").mkdir(parents=True)
    (mirror / "beir" / "scifact.zip").write_bytes(content[:50])
    assert "scifact.zip: truncated, 50 of" in refused(DataError, "beir/scifact", mirror=mirror, source="beir")


def test_a_dataset_that_was_fetched_is_read_from_the_mirror(
    hub: Hub, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mteb", reason="mteb is not installed")
    written = hub_files.dataset(tmp_path / "remote", SCIFACT)
    written.write(hub_files.pieces_of(SCIFACT))
    hub.files["mteb/scifact"] = {name: (written.folder / name).read_bytes() for name in files_in(written.folder)}
    small(monkeypatch, b"")
    run_fetch(["beir/scifact"], mirror=mirror, source="mteb")
    texts = loaded(mirror, tmp_path / "workspace")
    assert texts == ["Ferry The boat leaves at nine.", "The mill turns at low tide.", "Bread Sold until noon."]


def test_data_of_ir_datasets_is_brought_into_its_home(mirror: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Download:
        expected_md5 = "0" * 32
        error: Exception | None = None

        def path(self, force: bool = True) -> Path:
            file = mirror / "irds" / "beir" / "scifact" / "source.zip"
            if force and self.error:
                raise self.error
            if force:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(b"zip")
            return file

    monkeypatch.setattr(module, "library", lambda _: irds_library)
    monkeypatch.setattr("harness.data.mirror.fetch.downloads", lambda *_: [Download()])
    Download.error = RuntimeError("no route")
    message = refused(DataError, "beir/scifact", mirror=mirror, source="irds")
    assert "ir_datasets beir/scifact/test: cannot be read (RuntimeError: no route)" in message
    Download.error = None
    (piece,) = run_fetch(["beir/scifact"], mirror=mirror, source="irds")
    assert (piece.kind, piece.there) == ("irds", True)
    assert plan_fetch(["beir/scifact"], mirror, source="irds")[0].there


def test_a_mirror_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    piece = Piece("beir/scifact/test", tmp_path / "file" / "irds", False)
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        fetch([piece], tmp_path, Silent())
