"""A place to work in and a command line; without matplotlib there is nothing to look at."""

import pytest

from tests.fixtures import _patience, command, place

pytest.importorskip("matplotlib", reason="plots need the extra 'reports'")

__all__ = ["_patience", "command", "place"]
