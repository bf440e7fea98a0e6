"""A place to work in and a command line, for every test of this folder."""

from tests.fixtures import _patience, command, place

__all__ = ["_patience", "command", "place"]
