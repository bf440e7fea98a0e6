"""What holds for every test: no hub, no settings of the user's, the same examples in every run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
for name in [name for name in os.environ if name.startswith("HARNESS_")]:
    del os.environ[name]

settings.register_profile("same-every-time", deadline=None, derandomize=True)
settings.load_profile("same-every-time")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real collections beside the repository; a test that needs them is skipped where they are not."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no real collections at {folder}")
    return folder
