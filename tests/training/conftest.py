"""A place to work in and a command line, for every test of this folder, and one thread for those that ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures import _patience, command, place

__all__ = ["_patience", "command", "place"]


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Compute on one thread, so that sums have the same order each time."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
