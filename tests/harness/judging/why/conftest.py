"""A place to work in, a command line, and the planted failure, for every test of this folder."""

from __future__ import annotations

import pytest

from harness.judging.why.facing import PairedTexts
from tests.fixtures import _patience, command, place
from tests.planted import collections, faced
from tests.tiny_collection import Place

__all__ = ["_patience", "command", "place"]


@pytest.fixture
def planted(place: Place) -> list[PairedTexts]:
    """English and Thai, 60 queries each; B loses the end of long Thai documents."""
    return [faced(place.load(folder)) for folder in collections(place, 60)]
