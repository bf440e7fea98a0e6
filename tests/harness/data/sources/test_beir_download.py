"""A collection of a suite from BEIR's zip file is the one everybody has: another file, or half of one, is named."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, EnvironmentFailure, UsageError
from harness.data.collection import Collection, Rules
from harness.data.sources import beir_download
from harness.data.sources.beir_download import URL, VARIABLE, beir_zip_source, fetch_zip
from harness.data.sources.build import collection_of
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.dirt import EFFECTS
from harness.data.sources.origin import SourceChoice
from harness.data.suites.targets import SuiteCollection, find, suites
from tests.local_server import Reply, Server, serving

(SCIFACT,) = find("beir/scifact")


def packed(folder: Path, file: Path, inside: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "a") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, f"{inside}/{path.relative_to(folder).as_posix()}")
    return file


def entry_of(file: Path, folder: str | None = None) -> SuiteCollection:
    """SciFact's entry with the sum and size of a small file."""
    content = file.read_bytes()
    assert SCIFACT.beir is not None
    zip_ = replace(SCIFACT.beir, md5=hashlib.md5(content).hexdigest(), bytes=len(content), folder=folder)
    return replace(SCIFACT, beir=zip_)


class Place:
    """Downloads, a mirror and a server with a small stand-in of SciFact."""

    def __init__(self, session: Any, server: Server) -> None:
        self.session, self.server = session, server
        self.folder: Path = session.beir("folder")
        self.whole = packed(self.folder, session.path / "packed" / "scifact.zip", "scifact")
        self.entry = entry_of(self.whole)
        self.downloads: Path = session.path / "downloads"
        self.mirror: Path = session.path / "mirror"
        server.files["/beir/scifact.zip"] = self.whole.read_bytes()

    def put(self, folder: Path, content: bytes | None = None) -> Path:
        folder.mkdir(parents=True)
        (folder / "scifact.zip").write_bytes(self.whole.read_bytes() if content is None else content)
        os.utime(folder / "scifact.zip", ns=(10**18, 10**18))
        return folder / "scifact.zip"

    def load(self, mirror: Path | None = None, entry: SuiteCollection | None = None) -> Collection:
        source = beir_zip_source(entry or self.entry, DeclaredCollection(), SourceChoice(mirror=mirror), self.downloads)
        return collection_of(source, self.session.workspace)

    def refused(self, mirror: Path | None = None, entry: SuiteCollection | None = None) -> str:
        with pytest.raises((DataError, EnvironmentFailure)) as caught:
            self.load(mirror, entry)
        return str(caught.value).replace(f"{self.session.path}/", "")


@pytest.fixture
def place(session: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    with serving({}) as server:
        monkeypatch.setenv(VARIABLE, f"{server.url}/beir/")
        yield Place(session, server)


def test_a_collection_that_is_nowhere_is_fetched_and_is_the_same_as_its_folder(place: Place) -> None:
    found = place.load()
    assert (found.name, found.split) == ("beir/scifact", "test")
    assert found.fingerprint == place.session.load(place.folder).fingerprint
    assert (place.downloads / "scifact.zip").read_bytes() == place.whole.read_bytes()
    place.load()
    assert [request.path for request in place.server.requests] == ["/beir/scifact.zip"]


def test_nothing_is_fetched_before_it_is_read(place: Place) -> None:
    sources = [beir_zip_source(one, DeclaredCollection(), SourceChoice(), place.downloads) for one in find("beir")]
    assert len({(source.name, source.origin) for source in sources}) == 26
    assert {source.split for source in sources} == {"test", "dev"}
    assert place.server.requests == []


def test_a_broken_connection_is_resumed_for_collections_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    place.server.script += [Reply(stop_after=200), Reply(502)]
    place.load()
    assert place.server.sent == place.whole.stat().st_size


def test_what_lies_in_the_mirror_or_the_downloads_is_not_fetched(place: Place) -> None:
    place.put(place.downloads)
    fingerprint = place.load().fingerprint
    place.put(place.mirror / "beir")
    (place.downloads / "scifact.zip").write_bytes(b"not looked at")
    assert place.load(place.mirror).fingerprint == fingerprint
    assert place.server.requests == []


def test_with_a_mirror_nothing_is_fetched_and_the_command_that_would_is_named(place: Place) -> None:
    assert place.refused(place.mirror) == (
        "mirror/beir/scifact.zip: not found; on a machine with a network, run: "
        f"harness fetch beir/scifact --source beir --mirror {place.mirror}"
    ).replace(f"{place.session.path}/", "")
    assert place.server.requests == []
    assert fetch_zip(place.entry.beir, place.mirror / "beir").exists()  # type: ignore[arg-type]
    place.load(place.mirror)


@pytest.mark.parametrize("mirrored", [True, False])
def test_a_truncated_zip_file_that_lies_there_is_named(place: Place, mirrored: bool) -> None:
    folder = place.mirror / "beir" if mirrored else place.downloads
    size = place.whole.stat().st_size
    file = place.put(folder, place.whole.read_bytes()[: size // 2])
    name = file.relative_to(place.session.path)
    assert place.refused(place.mirror if mirrored else None) == (
        f"{name}: truncated, {size // 2} of {size} bytes; delete it and fetch it again"
    )
    assert file.exists()
    assert place.server.requests == []


def test_another_zip_file_of_the_same_name_and_size_is_named_with_both_sums(place: Place) -> None:
    content = bytes(reversed(place.whole.read_bytes()))
    place.put(place.downloads, content)
    wanted = hashlib.md5(place.whole.read_bytes()).hexdigest()
    assert place.refused() == (
        f"downloads/scifact.zip: md5 {hashlib.md5(content).hexdigest()}, not {wanted}; delete it and fetch it again"
    )


def test_another_version_on_the_server_is_refused_and_leaves_nothing(place: Place) -> None:
    place.server.files["/beir/scifact.zip"] = bytes(reversed(place.whole.read_bytes()))
    assert "it was deleted" in place.refused()
    assert list(place.downloads.iterdir()) == []


def test_the_sum_is_taken_once_and_again_when_the_file_was_touched(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Path] = []
    real = beir_download.file_md5
    monkeypatch.setattr(beir_download, "file_md5", lambda path: taken.append(path) or real(path))
    file = place.put(place.downloads)
    place.load()
    place.load()
    assert taken == [file]
    os.utime(file, ns=(10**18, 10**18 + 10**9))
    place.load()
    assert taken == [file, file]
    other = replace(place.entry, beir=replace(place.entry.beir, md5="0" * 32))  # type: ignore[type-var]
    assert "md5" in place.refused(entry=other)


def test_one_zip_file_holds_the_forums_and_each_is_a_collection_of_its_own(place: Place) -> None:
    file = place.session.path / "forums.zip"
    for forum in ("android", "english"):
        corpus = [{"_id": f"d{n}", "text": f"{forum} {n}"} for n in (1, 2, 3)]
        packed(place.session.beir(forum, corpus=corpus), file, f"cqadupstack/{forum}")
    place.put(place.downloads, file.read_bytes())
    entry = entry_of(file)
    found = [
        place.load(entry=replace(entry, name=forum, beir=replace(entry.beir, folder=f"cqadupstack/{forum}")))  # type: ignore[type-var]
        for forum in ("android", "english")
    ]
    assert [one.corpus[0] for one in found] == ["android 1", "english 1"]
    assert [one.fingerprint for one in found] == [
        place.session.load(place.session.path / forum).fingerprint for forum in ("android", "english")
    ]
    missing = replace(entry, beir=replace(entry.beir, folder="cqadupstack/tex"))  # type: ignore[type-var]
    with pytest.raises(UsageError, match=r"no corpus\.jsonl in the folder 'cqadupstack/tex' inside"):
        place.load(entry=missing)


def test_rules_of_the_suite_hold(place: Place) -> None:
    place.put(place.downloads)
    declared = DeclaredCollection(language="en", rules=Rules(instruction="find it", drop_identical_ids=True))
    source = beir_zip_source(place.entry, declared, SourceChoice(), place.downloads)
    found = collection_of(source, place.session.workspace)
    assert (found.language, found.rules.instruction, found.rules.drop_identical_ids) == ("en", "find it", True)


def test_a_collection_that_beir_does_not_have_is_refused() -> None:
    (entry,) = find("miracl/sw")
    with pytest.raises(UsageError, match="miracl/sw: BEIR has no zip file of it"):
        beir_zip_source(entry, DeclaredCollection(), SourceChoice(), Path())


def test_without_a_variable_the_address_is_beirs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    asked: list[str] = []

    def download(url: str, target: Path, **_: object) -> Path:
        asked.append(url)
        target.write_bytes(b"")
        return target

    monkeypatch.setattr(beir_download, "download", download)
    fetch_zip(SCIFACT.beir, tmp_path)  # type: ignore[arg-type]
    assert asked == [f"{URL}/scifact.zip"]


def test_known_dirt_of_the_suites_has_a_rule() -> None:
    declared: dict[str, Sequence[str]] = {
        one.target: one.allow for suite in suites().values() for one in suite.collections if one.allow
    }
    assert declared["beir/trec-covid"] == ("negative-grades",)
    assert {name for names in declared.values() for name in names} <= set(EFFECTS)
