"""What the tests of merging share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.merging import pico


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A folder with the tiny checkpoints a and b."""
    for seed, name in enumerate("ab"):
        pico.write(tmp_path / name, pico.tensors(seed))
    return tmp_path
