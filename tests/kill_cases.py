"""Three commands that a kill may hit at any write: what they leave behind is the same as without the kill."""

from __future__ import annotations

import hashlib
import io
import json
import multiprocessing
import shutil
import signal
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from harness.workspace import Workspace
from tests.killing import kill_at_size, kill_at_write
from tests.local_server import serving
from tests.tiny_collection import FIRST, Place

_CONTEXT = multiprocessing.get_context("forkserver")
KILLED = (-signal.SIGKILL, -signal.SIGXFSZ)
Left = dict[str, Any]
"""What a command left behind, as plain values."""


@dataclass
class Case(ABC):
    """A command that is run in `folder`, again and again from the same start."""

    folder: Path
    preload: tuple[str, ...] = ()

    @abstractmethod
    def prepare(self) -> None:
        """Write the inputs into `here`."""

    @abstractmethod
    def run(self) -> None:
        """Run the command."""

    @abstractmethod
    def left(self) -> Left:
        """What is there after the command has ended."""

    def wrong_after_a_kill(self) -> str:
        """What must not be there at any time, before the command is run again. Default: nothing."""
        return ""

    @property
    def here(self) -> Path:
        """The folder in which the command writes."""
        return self.folder / "here"

    @property
    def place(self) -> Place:
        """A folder for inputs, and a workspace."""
        return Place(self.here, Workspace(self.here / "workspace"))

    @cached_property
    def whole(self) -> Left:
        """What is there without a kill."""
        self.prepare()
        shutil.copytree(self.here, self.folder / "start")
        assert self._in_a_process(_AtWrite(self.here, 0)) == 0, "the command fails without a kill"
        return self.left()

    @property
    def writes(self) -> int:
        """How often the command writes without a kill."""
        assert self.whole
        return int((self.folder / "writes").read_text("ascii"))

    def killed(self, kill: _AtWrite | _AtSize) -> str | None:
        """Run the command with a kill and then again without one.

        Returns:
            What is different afterwards, or an empty string; None if the kill never came.
        """
        whole = self.whole
        shutil.rmtree(self.here)
        shutil.copytree(self.folder / "start", self.here)
        code = self._in_a_process(kill)
        if code == 0:
            assert not _difference(whole, self.left()), "the command is not the same without a kill"
            return None
        if code not in KILLED:
            return f"the command ends with {code}"
        return self.wrong_after_a_kill() or self.continued(whole)

    def continued(self, whole: Left) -> str:
        """Run the command without a kill, and return what is then different."""
        code = self._in_a_process()
        return f"run again, the command ends with {code}" if code else _difference(whole, self.left())

    def at_write(self, number: int) -> str | None:
        """As `killed`, before the n-th write."""
        return self.killed(_AtWrite(self.here, number))

    def at_size(self, size: int) -> str | None:
        """As `killed`, in the middle of a write."""
        return self.killed(_AtSize(size))

    def _in_a_process(self, kill: _AtWrite | _AtSize | None = None) -> int:
        _CONTEXT.set_forkserver_preload(["harness", "tests.kill_cases", *self.preload])
        process = _CONTEXT.Process(target=_run, args=(self, kill))
        process.start()
        process.join()
        assert process.exitcode is not None
        return process.exitcode


@dataclass(frozen=True)
class _AtWrite:
    root: Path
    number: int

    def __call__(self) -> Callable[[], int]:
        return kill_at_write(self.root, self.number)


@dataclass(frozen=True)
class _AtSize:
    size: int

    def __call__(self) -> None:
        kill_at_size(self.size)


def _run(case: Case, kill: _AtWrite | _AtSize | None) -> None:
    count = kill and kill()
    case.run()
    if count is not None:
        (case.folder / "writes").write_text(str(count()), "ascii")


@dataclass
class GateCase(Case):
    """`harness gate` with a budget of one look."""

    preload: tuple[str, ...] = (
        "harness.api", "harness.judging.gate.gate", "tests.harness.judging.gate.fakes", "reports.tables.gate",
        "harness.data.columns",
    )  # fmt: skip

    def prepare(self) -> None:
        from tests.harness.judging.gate.fakes import readable

        self.here.mkdir()
        place = Place(self.here, Workspace.open(self.here / "workspace"))
        readable(place)
        shutil.rmtree(place.workspace.path)

    def run(self) -> None:
        import harness
        from tests.harness.judging.gate.fakes import FAKE

        policy = harness.Policy(
            anchor=f"{FAKE}:Reader", targets=(str(self.here / "coll"),), first_stage=FIRST, depth=5, margin=0.08,
            looks=_budget("2.1", 1),
        )  # fmt: skip
        found = harness.gate(f"{FAKE}:Reader?wrong=0.02", policy, workspace=self.here / "workspace")
        (self.here / "answer.json").write_text(json.dumps(_timeless(found.as_dict())), "utf-8")

    def left(self) -> Left:
        answer, workspace = json.loads((self.here / "answer.json").read_text("utf-8")), self.place.workspace
        assert _spent(workspace) == [answer["look"]], "the look is counted once"
        return {"answer": answer, "results": _stored(workspace), "scores": _digests(workspace.scored)}

    def wrong_after_a_kill(self) -> str:
        workspace = self.place.workspace
        if not workspace.results.exists() or bool(_stored(workspace)) == bool(_spent(workspace)):
            return ""
        return "there are figures, but their look is not counted"


@dataclass
class AdaptCase(Case):
    """`harness train adapt`, which takes a look at the gate and one at the final split."""

    preload: tuple[str, ...] = ("torch", "transformers", "training.adapting.loop", "tests.training.adapting.toy")

    def prepare(self) -> None:
        from tests.training.adapting import toy

        self.here.mkdir()
        place = Place(self.here, self.place.workspace)
        toy.target(place)
        toy.settings(place)

    def run(self) -> None:
        import torch

        from tests.training.adapting import toy

        torch.set_num_threads(1)
        place = Place(self.here, Workspace.open(self.here / "workspace"))
        settings = toy.settings(place, seeds=(0,))
        policy = replace(toy.POLICY, looks=_budget("1", 1))
        record = toy.run(place, settings, self.here / "target", policy=policy)
        assert record.state == "accepted"

    def left(self) -> Left:
        from harness.result.adaptation.reading import read_record

        out, looks = self.here / "out", _spent(self.place.workspace)
        assert len(looks) == 2, "each look is counted once"
        record = _timeless(asdict(read_record(out)))
        manifest = json.loads((out / "manifest.json").read_text("utf-8"))
        return {
            "record": record, "models": manifest["models"], "model": _digests(out / "model"),
            "results": _stored(self.place.workspace), "looks": sorted(looks),
        }  # fmt: skip


@dataclass
class FetchCase(Case):
    """`harness fetch` of a zip file, from a server, and of a model, from the hub."""

    preload: tuple[str, ...] = ("datasets", "huggingface_hub", "pytest", "harness.data.mirror.fetch")

    def prepare(self) -> None:
        self.here.mkdir()

    def run(self) -> None:
        from unittest import mock

        import pytest

        from harness.data.mirror.fetch import run_fetch
        from harness.data.sources.beir_download import VARIABLE
        from tests import mirror_of_hub
        from tests.fake_hub import MODEL, connected

        content = _zipped()
        entry = mirror_of_hub.sized(mirror_of_hub.entry_of("beir/scifact"))
        assert entry.beir is not None
        zip_ = replace(entry.beir, md5=hashlib.md5(content).hexdigest(), bytes=len(content))
        found = mock.patch("harness.data.sources.suite_source.find", lambda _: [replace(entry, beir=zip_)])
        with serving({"/scifact.zip": content}) as server, pytest.MonkeyPatch.context() as patch, found:
            patch.setenv(VARIABLE, server.url)
            connected(patch).files["org/model"] = dict(MODEL)
            run_fetch(["beir/scifact"], ["org/model"], self.here / "mirror", "beir")

    def left(self) -> Left:
        found = _digests(self.here / "mirror")
        return {name: one for name, one in found.items() if not name.endswith(".checked")}  # says when it was checked


def _budget(release: str, budget: int) -> Any:
    from harness.judging.gate.policy import LookBudget

    return LookBudget(release, budget)


def _zipped() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("scifact/corpus.jsonl"), np.random.default_rng(0).bytes(300_000))
    return content.getvalue()


def _timeless(found: Mapping[str, Any]) -> dict[str, Any]:
    """A plain value without times and costs, which depend on how often the command was started."""
    timed = ("at", "seconds", "started", "costs")
    return {key: _without(value) for key, value in found.items() if key not in timed}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return _timeless(value)
    return [_without(one) for one in value] if isinstance(value, list | tuple) else value


def _stored(workspace: Workspace) -> dict[str, str]:
    """The digests of all values per query, by evaluation and measure."""
    from harness.result.store import Results

    with Results(workspace.results) as results:
        return {f"{one.id} {one.measure}": _digest(one.values.tobytes()) for one in results.results()}


def _spent(workspace: Workspace) -> list[str]:
    from harness.judging.gate.looks import LookLog

    return [one.id for one in LookLog(workspace.results).all() if one.alpha]


def _digests(folder: Path) -> dict[str, str]:
    """The digests of all files, by path; without the unfinished ones that a kill leaves."""
    return {str(file.relative_to(folder)): _digest(file.read_bytes()) for file in sorted(_finished(folder))}


def _finished(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.is_file() and not any(part.startswith(".unfinished-") for part in file.parts):
            yield file


def _difference(one: Any, other: Any, place: str = "") -> str:
    """The first place where two plain values differ; empty if they are equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            found = _difference(one.get(key), other.get(key), f"{place}/{key}")
            if found:
                return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return next(
            filter(
                None, (_difference(*both, f"{place}/{row}") for row, both in enumerate(zip(one, other, strict=True)))
            ),
            "",
        )
    return "" if one == other else f"{place}: {str(one)[:80]} became {str(other)[:80]}"


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=12).hexdigest()


CASES: Mapping[str, type[Case]] = {"gate": GateCase, "adapt": AdaptCase, "fetch": FetchCase}
