"""Download a file over HTTP. An interrupted download is resumed, and a file gets its name only after it is checked."""

from __future__ import annotations

import hashlib
import re
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from adapters.errors import DataError, EnvironmentFailure, UsageError
from harness.data.sources.part_file import PartFile

Progress = Callable[[int, int | None], None]
"""Called with the bytes on disk and the size of the whole file; None if the server does not give it."""
_AGAIN = {408, 425, 429}
_PIECE = 1 << 18
_LONGEST_PAUSE = 60.0


class _Broken(OSError):
    """A transfer that failed and may be retried."""


@dataclass(frozen=True)
class _Request:
    url: str
    size: int | None
    progress: Progress | None
    timeout: float


def download(
    url: str,
    target: Path,
    *,
    md5: str | None,
    size: int | None,
    progress: Progress | None = None,
    tries: int = 5,
    timeout: float = 30.0,
    pause: float = 1.0,
) -> Path:
    """Fetch `url` to `target`. If `target` exists, it is complete and nothing is fetched.

    Received bytes are in `<target>.part` and survive a lost connection or a kill. The next try, in this process or
    another, fetches the rest. Two processes that fetch the same file take turns.

    Args:
        md5: the expected md5 sum in hex; None if it is unknown.
        size: the expected size in bytes; None if it is unknown.
        tries: failures in a row without a new byte before it gives up.
        timeout: seconds without a new byte that count as a failure.
        pause: seconds to wait after the first failure, doubled after each further one (at most 60).

    Raises:
        EnvironmentFailure: the server refuses, the connection keeps failing, or the disk is full.
        DataError: size or md5 are not as expected.
        UsageError: the url is not an http address.
    """
    if target.exists():
        return target
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"'{url}' is not an address to fetch from; it has to begin with http:// or https://")
    with closing(PartFile(target)) as part:
        # Another process may have finished the file while this one waited for the lock.
        if not target.exists():
            _fill(part, _Request(url, size, progress, timeout), tries, pause)
            _check(part, url, md5)
            part.finish(target)
    return target


def file_md5(path: Path) -> str:
    """The md5 sum of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _fill(part: PartFile, wanted: _Request, tries: int, pause: float) -> None:
    longest, failures = part.length, 0
    while True:
        try:
            _transfer(part, wanted)
            return
        except (OSError, HTTPException) as error:
            reason = _reason(error, wanted)
        if part.length > longest:
            longest, failures = part.length, 0
        failures += 1
        if failures >= tries:
            kept = f"{part.length} bytes are kept; run again to fetch the rest" if part.length else "run again later"
            raise EnvironmentFailure(f"{wanted.url}: {reason}, {tries} times in a row; {kept}")
        time.sleep(min(pause * 2 ** (failures - 1), _LONGEST_PAUSE))


def _transfer(part: PartFile, wanted: _Request) -> None:
    if wanted.size is not None and part.length >= wanted.size:
        if part.length == wanted.size:
            return
        part.clear()
    try:
        # `response.read` waits for the whole piece and loses what it received on a timeout; `read1` does not.
        with urllib.request.urlopen(_request(part, wanted.url), timeout=wanted.timeout) as response:
            whole = _whole(response, part, wanted)
            _check_space(part, whole)
            while piece := response.read1(_PIECE):
                part.write(piece)
                _show(part, wanted, whole)
    except urllib.error.HTTPError as error:
        with error:
            _refused(error, part, wanted.url)
        return
    if whole is not None and part.length != whole:
        raise _Broken(f"the connection broke off at byte {part.length} of {whole}")


def _request(part: PartFile, url: str) -> urllib.request.Request:
    headers = {"User-Agent": "rerank-harness", "Accept-Encoding": "identity"}
    if part.length:
        headers["Range"] = f"bytes={part.length}-"
        if part.tag:
            headers["If-Range"] = part.tag
    return urllib.request.Request(url, headers=headers)


def _whole(response: HTTPResponse, part: PartFile, wanted: _Request) -> int | None:
    """The length of the whole file. The part on disk is kept only if the server continues exactly after it."""
    whole = _length_continued(response, part) if response.status == 206 else _length_restarted(response, part)
    if wanted.size is not None and whole is not None and whole != wanted.size:
        raise DataError(
            f"{wanted.url}: the server has {whole} bytes, not {wanted.size}; it is another version of the file"
        )
    _show(part, wanted, whole)
    return wanted.size if whole is None else whole


def _length_continued(response: HTTPResponse, part: PartFile) -> int | None:
    span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    if span is None or int(span[1]) != part.length:
        part.clear()
        raise _Broken("the server answered with another part of the file")
    return None if span[2] == "*" else int(span[2])


def _length_restarted(response: HTTPResponse, part: PartFile) -> int | None:
    part.clear(response.headers.get("ETag"))
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _refused(error: urllib.error.HTTPError, part: PartFile, url: str) -> None:
    """Return if the answer means that the file is complete.

    Raises:
        EnvironmentFailure: another try would not help.
        _Broken: another try may help.
    """
    if error.code == 416:
        if error.headers.get("Content-Range") == f"bytes */{part.length}":
            return
        part.clear()
    elif error.code < 500 and error.code not in _AGAIN:
        raise EnvironmentFailure(f"{url}: the server answers {_status(error)}; check the address") from None
    raise _Broken(f"the server answers {_status(error)}")


def _status(error: urllib.error.HTTPError) -> str:
    return f"HTTP {error.code} {error.reason}".strip()


def _reason(error: OSError | HTTPException, wanted: _Request) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(inner, ssl.SSLCertVerificationError):
        raise EnvironmentFailure(f"{wanted.url}: the certificate is not valid ({inner.verify_message})") from None
    if isinstance(inner, TimeoutError):
        return f"no answer for {wanted.timeout:g} seconds"
    strerror = getattr(inner, "strerror", None)
    return " ".join(str(strerror or inner).split()) or type(inner).__name__


def _check_space(part: PartFile, whole: int | None) -> None:
    missing, free = (whole or 0) - part.length, shutil.disk_usage(part.path.parent).free
    if missing > free:
        raise EnvironmentFailure(
            f"{part.path}: {missing} bytes are needed and {free} are free on the disk; free some space"
        )


def _show(part: PartFile, wanted: _Request, whole: int | None) -> None:
    if wanted.progress is not None:
        wanted.progress(part.length, whole)


def _check(part: PartFile, url: str, md5: str | None) -> None:
    actual = md5 and file_md5(part.path)
    if actual != md5:
        part.remove()
        raise DataError(f"{url}: md5 {actual}, not {md5}; it was deleted: run again, or fetch from another address")
