"""A real browser for tests: Debian's chromium without a screen, driven by chromedriver in the WebDriver protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
_PATIENCE_SECONDS = 180.0
"""A busy machine takes its time to start a browser; that is no fault of a page."""
_TRIES, _STORED_SECONDS = 20, 0.2
_ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars")
_OWN = ("chrome:", "chrome-untrusted:", "about:")
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Browser:
    """One window."""

    session: str
    """Where chromedriver answers for it."""

    def open(self, page: Path) -> None:
        """Open a file and wait until its script is done. What was said and asked before is forgotten."""
        _ask(f"{self.session}/url", {"url": "about:blank"})
        self.complaints()
        self.requests()
        _ask(f"{self.session}/url", {"url": page.as_uri()})
        self.until("return document.documentElement.dataset.ready === 'yes'")

    def open_after(self, store: Callable[[], object], page: Path, script: str) -> None:
        """Store something with a function, and open a file whose script then returns something true.

        What a page stores goes through another process of the browser, which on a busy machine loses it if the page is
        left at once. So there is time between the two, and if the file does not see it, both are done again.
        """
        for _ in range(_TRIES):
            store()
            time.sleep(_STORED_SECONDS)
            self.open(page)
            if self.run(script):
                return
        raise AssertionError(f"{page}: never true: {script}")

    def run(self, script: str, *arguments: object) -> Any:
        """What a script of the page returns."""
        return _ask(f"{self.session}/execute/sync", {"script": script, "args": list(arguments)})

    def until(self, script: str) -> None:
        """Wait until a script returns something true."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self.run(script):
            if time.monotonic() > deadline:
                raise AssertionError(f"never true: {script}; the console said {self.complaints()}")
            time.sleep(0.05)

    def press(self, keys: str) -> None:
        """Type keys where the focus is."""
        (focus,) = _ask(f"{self.session}/element/active", None).values()
        _ask(f"{self.session}/element/{focus}/value", {"text": keys})

    def complaints(self) -> list[str]:
        """What the console said since the last look: errors, warnings, broken policies."""
        return [str(entry["message"]) for entry in self._logged("browser")]

    def requests(self) -> list[str]:
        """What the window asked for since the last look, without what the browser asks of itself."""
        entries = [json.loads(one["message"])["message"] for one in self._logged("performance")]
        asked = [one["params"]["request"]["url"] for one in entries if one["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith(_OWN)]

    def show(self, width: int, height: int, *, dark: bool = False) -> None:
        """Set the size of the window and what the user prefers."""
        _ask(f"{self.session}/window/rect", {"width": width, "height": height})
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        command = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}
        _ask(f"{self.session}/goog/cdp/execute", command)

    def picture(self, out: Path) -> None:
        """Keep what the window shows as a PNG file."""
        out.write_bytes(base64.b64decode(_ask(f"{self.session}/screenshot", None)))

    def _logged(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = _ask(f"{self.session}/se/log", {"type": kind})
        return found


@contextmanager
def browser(logs: Path) -> Iterator[Browser]:
    """A window; the test is skipped where no browser is installed."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no chromium and chromedriver; apt-get install chromium chromium-driver")
    with (logs / "driver.log").open("w+") as said:
        driver = subprocess.Popen([DRIVER, "--port=0"], stdout=said, stderr=subprocess.STDOUT)
        try:
            address = f"http://127.0.0.1:{_port(logs / 'driver.log')}"
            session = f"{address}/session/{_ask(f'{address}/session', _wanted(logs))['sessionId']}"
            yield Browser(session)
            _ask(session, None, "DELETE")
        finally:
            driver.terminate()
            driver.wait(_PATIENCE_SECONDS)


def _wanted(profile: Path) -> dict[str, Any]:
    options = {"binary": CHROMIUM, "args": [*_ARGUMENTS, f"--user-data-dir={profile / 'profile'}", "about:blank"]}
    logged = {"browser": "ALL", "performance": "ALL"}
    wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": logged}
    return {"capabilities": {"alwaysMatch": wanted}}


def _port(log: Path) -> str:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while "on port " not in (text := log.read_text()) or "started successfully" not in text:
        if time.monotonic() > deadline:
            raise AssertionError(f"chromedriver did not start: {text}")
        time.sleep(0.05)
    return text.split("started successfully on port ")[1].split(".")[0]


def _ask(address: str, body: object, method: str | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    try:
        with _DIRECT.open(request, timeout=_PATIENCE_SECONDS) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"chromedriver: {error.read().decode()}") from None
