"""Collections come over connections that break: nothing that arrived is fetched twice, nothing damaged gets a name."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.errors import DataError, EnvironmentFailure, UsageError
from harness.data.sources.download import download, file_md5
from tests.local_server import Reply, Server, serving

ROOT = Path(__file__).parents[4]
CONTENT = bytes(range(256)) * 4000
MD5 = hashlib.md5(CONTENT).hexdigest()
HALF = 500_000


def fetch(server: Server, target: Path, **options: object) -> Path:
    wanted = {"md5": MD5, "size": len(CONTENT), "pause": 0.0, **options}
    return download(f"{server.url}/x.zip", target, **wanted)  # type: ignore[arg-type]


def refused(server: Server, target: Path, **options: object) -> str:
    with pytest.raises((DataError, EnvironmentFailure)) as caught:
        fetch(server, target, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert not target.exists()
    return message.replace(server.url, "URL")


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "in" / "x.zip"


def test_a_whole_file_arrives_under_its_name_and_leaves_no_other_file(target: Path) -> None:
    shown: list[tuple[int, int | None]] = []
    with serving({"/x.zip": CONTENT}) as server:
        assert fetch(server, target, progress=lambda *bytes_: shown.append(bytes_)) == target
        assert target.read_bytes() == CONTENT
        assert names(target.parent) == ["x.zip"]
        assert shown[0] == (0, len(CONTENT))
        assert shown[-1] == (len(CONTENT), len(CONTENT))
        fetch(server, target)
    assert len(server.requests) == 1


def test_a_dropped_connection_costs_only_what_had_not_arrived(target: Path) -> None:
    with serving({"/x.zip": CONTENT}, [Reply(stop_after=HALF), Reply(stop_after=100)]) as server:
        fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-", f"bytes={HALF + 100}-"]
    assert server.sent == len(CONTENT)


def test_what_arrived_before_giving_up_is_kept_for_the_next_run(target: Path) -> None:
    with serving({"/x.zip": CONTENT}, [Reply(stop_after=HALF), Reply(503), Reply(503), Reply(503)]) as server:
        message = refused(server, target, tries=3)
        assert message == (
            f"URL/x.zip: the server answers HTTP 503 Service Unavailable, 3 times in a row; {HALF} bytes are kept; "
            "run again to fetch the rest"
        )
        fetch(server, target)
    assert server.sent == len(CONTENT)
    assert names(target.parent) == ["x.zip"]


def test_each_new_byte_gives_a_flaky_host_all_of_its_tries_back(target: Path) -> None:
    with serving({"/x.zip": CONTENT}, [Reply(stop_after=1000)] * 20) as server:
        fetch(server, target, tries=2)
    assert target.read_bytes() == CONTENT
    assert server.sent == len(CONTENT)


def test_a_host_that_always_breaks_off_at_the_same_byte_is_given_up(target: Path) -> None:
    with serving({"/x.zip": CONTENT}, [Reply(stop_after=HALF, ranges=False)] * 50) as server:
        message = refused(server, target, tries=3)
    assert "the connection broke off at byte 500000 of 1024000, 3 times in a row" in message
    assert len(server.requests) == 3


def test_a_server_without_ranges_starts_again_and_the_file_is_right(target: Path) -> None:
    with serving({"/x.zip": CONTENT}, [Reply(stop_after=HALF, ranges=False), Reply(ranges=False)]) as server:
        fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert server.sent == HALF + len(CONTENT)


def test_two_versions_are_never_glued_together(target: Path) -> None:
    other = bytes(reversed(CONTENT))
    with serving({"/x.zip": CONTENT}, [Reply(stop_after=HALF)] + [Reply(503)] * 2) as server:
        refused(server, target, md5=None, tries=2)
        server.files["/x.zip"] = other
        server.script = [Reply(etag='"v2"')]
        fetch(server, target, md5=None, tries=2)
    assert target.read_bytes() == other


def test_without_a_tag_the_md5_sum_finds_two_versions_and_the_next_run_is_clean(target: Path) -> None:
    with serving({"/x.zip": CONTENT}, [Reply(stop_after=HALF, etag="W/1"), Reply(etag=None)]) as server:
        wrong = hashlib.md5(b"other").hexdigest()
        message = refused(server, target, md5=wrong)
        assert message.startswith(f"URL/x.zip: md5 {MD5}, not {wrong}; it was deleted")
        assert names(target.parent) == []
        fetch(server, target)
    assert target.read_bytes() == CONTENT


def test_a_missing_file_is_not_asked_for_again(target: Path) -> None:
    with serving({}) as server:
        message = refused(server, target)
    assert message == "URL/x.zip: the server answers HTTP 404 Not Found; check the address"
    assert len(server.requests) == 1
    assert names(target.parent) == []


def test_a_busy_server_is_asked_again(target: Path) -> None:
    with serving({"/x.zip": CONTENT}, [Reply(503), Reply(503)]) as server:
        fetch(server, target, tries=3)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 3


def test_a_server_that_falls_silent_is_left_and_what_it_sent_stays(target: Path) -> None:
    with serving({"/x.zip": CONTENT}, [Reply(hang_after=HALF)]) as server:
        fetch(server, target, timeout=0.3)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-"]
    assert server.sent == len(CONTENT)


def test_nobody_listening_is_one_line(target: Path) -> None:
    with serving({}) as server:
        pass
    message = refused(server, target, tries=2)
    assert message == "URL/x.zip: Connection refused, 2 times in a row; run again later"


def test_another_size_than_expected_is_refused_before_gigabytes_are_fetched(target: Path) -> None:
    with serving({"/x.zip": CONTENT}, [Reply(stop_after=0)]) as server:
        message = refused(server, target, size=len(CONTENT) + 1)
    assert message == "URL/x.zip: the server has 1024000 bytes, not 1024001; it is another version of the file"


def test_a_file_that_is_larger_than_the_disk_is_refused_at_once(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with serving({"/x.zip": CONTENT}) as server:
        message = refused(server, target)
    assert message.endswith("x.zip.part: 1024000 bytes are needed and 1000 are free on the disk; free some space")


def test_a_file_that_is_whole_already_only_gets_its_name(target: Path) -> None:
    target.parent.mkdir()
    part = target.with_name("x.zip.part")
    with serving({"/x.zip": CONTENT}) as server:
        part.write_bytes(CONTENT)
        fetch(server, target)
        assert server.requests == []
        target.unlink()
        part.write_bytes(CONTENT)
        fetch(server, target, size=None)
    assert target.read_bytes() == CONTENT
    assert server.sent == 0


def test_a_part_that_is_too_long_is_not_believed(target: Path) -> None:
    target.parent.mkdir()
    with serving({"/x.zip": CONTENT}) as server:
        for size in (len(CONTENT), None):
            target.unlink(missing_ok=True)
            target.with_name("x.zip.part").write_bytes(CONTENT + b"more")
            fetch(server, target, size=size)
            assert target.read_bytes() == CONTENT


def test_a_file_without_a_stated_length_is_held_against_the_expected_one(target: Path) -> None:
    silent = Reply(says_length=False)
    with serving({"/x.zip": CONTENT}, [Reply(says_length=False, stop_after=HALF), silent]) as server:
        fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert server.sent == len(CONTENT)


def test_two_that_want_the_same_file_fetch_it_once(target: Path) -> None:
    with serving({"/x.zip": CONTENT}) as server:
        threads = [threading.Thread(target=fetch, args=(server, target)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert target.read_bytes() == CONTENT
    assert server.sent == len(CONTENT)
    assert names(target.parent) == ["x.zip"]


def test_a_kill_loses_nothing_that_had_arrived(target: Path) -> None:
    code = "import sys, pathlib\nfrom harness.data.sources.download import download\n"
    code += "download(sys.argv[1], pathlib.Path(sys.argv[2]), md5=None, size=None)"
    part = target.with_name("x.zip.part")
    with serving({"/x.zip": CONTENT}, [Reply(hang_after=HALF)]) as server:
        arguments = [sys.executable, "-c", code, f"{server.url}/x.zip", str(target)]
        with subprocess.Popen(arguments, cwd=ROOT) as child:
            while child.poll() is None and not (part.exists() and part.stat().st_size == HALF):
                time.sleep(0.02)
            child.kill()
        assert child.returncode == -9
        assert not target.exists()
        fetch(server, target)
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-"]
    assert server.sent == len(CONTENT)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        serving({"/x.zip": CONTENT}) as server,
        pytest.raises(EnvironmentFailure, match=r"x\.zip\.part: cannot be written"),
    ):
        fetch(server, tmp_path / "file" / "x.zip")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "scifact.zip", "ftp://host/x.zip"])
def test_only_http_addresses_are_fetched(url: str, target: Path) -> None:
    with pytest.raises(UsageError, match="not an address to fetch from"):
        download(url, target, md5=None, size=None)


def test_the_md5_sum_is_the_one_of_md5sum(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(CONTENT)
    assert file_md5(tmp_path / "x") == MD5
