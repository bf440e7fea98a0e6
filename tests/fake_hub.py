"""A hub of a few small repositories in the place of the Hugging Face hub."""

from __future__ import annotations

import fnmatch
import importlib
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

CONFIG = b'{"architectures": ["BertForSequenceClassification"]}'
MODEL = {
    "config.json": CONFIG,
    "model.safetensors": bytes(64),
    "onnx/model.onnx": bytes(32),
    "pytorch_model.bin": b"pickled",
    "modeling_mine.py": b"code",
}
COMMIT = "c" * 40


class Unreachable(Exception):
    """As httpx raises it."""


class Hub:
    """A hub of repositories by name, which answers what it is asked and can be killed after some files."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.downloads: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.killed_after: int | None = None
        self.without: set[str] = set()
        self.error: Exception | None = None

    def repo_info(self, name: str, *, revision: str | None, **_: object) -> Any:
        self.asked.append(name)
        if self.error:
            raise self.error
        files = [SimpleNamespace(rfilename=path, size=len(data)) for path, data in self.files[name].items()]
        return SimpleNamespace(sha=revision or COMMIT, siblings=files)

    def snapshot_download(self, name: str, *, local_dir: Path, allow_patterns: list[str] | None, **more: Any) -> str:
        self.downloads.append({"name": name, "local_dir": local_dir, "allow_patterns": allow_patterns, **more})
        wanted = [
            path
            for path in sorted(self.files[name])
            if path not in self.without
            and (allow_patterns is None or any(fnmatch.fnmatch(path, pattern) for pattern in allow_patterns))
        ]
        for number, path in enumerate(wanted):
            if number == self.killed_after:
                raise KeyboardInterrupt
            (local_dir / path).parent.mkdir(parents=True, exist_ok=True)
            (local_dir / path).write_bytes(self.files[name][path])
        return str(local_dir)


def connected(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """Put a hub with one dataset and one model where the hub's client would ask."""
    client = pytest.importorskip("huggingface_hub", reason="the hub's client needs the extra 'models'")
    with suppress(ImportError):
        importlib.import_module("datasets")  # it keeps the client that is there when it is first imported
    hub = Hub()
    hub.files["mteb/scifact"] = {"README.md": b"---", "corpus.jsonl": b"{}\n", "queries.jsonl": b"{}\n"}
    hub.files["some/model"] = MODEL
    monkeypatch.setattr(client, "HfApi", lambda: hub)
    monkeypatch.setattr(client, "snapshot_download", hub.snapshot_download)
    return hub
