"""The three stages on the tiny corpus, in one call each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.tiny_collection import FIRST, Place
from tests.training.fake_generators import Echo
from training.corpus import corpus_of
from training.mining.mine import mine, read_queries
from training.synthesis.profiles import load_profile
from training.synthesis.synthesize import SynthesisSettings, synthesize
from training.teaching import lesson, teach
from training.teaching.settings import TeachingSettings

HASH = "tests.fake_adapters:Silent"
"""A retriever of another identity than FIRST."""
TEACHER = "tests.fake_adapters:Plain"


def mined(
    place: Place, retrievers: Sequence[str] = (FIRST, HASH), depth: int = 3, name: str = "pool"
) -> dict[str, Any]:
    """Queries of the tiny corpus, and their pool."""
    if not (place.path / "coll").exists():
        place.beir()
    target = str(place.path / "coll")
    corpus = corpus_of(target, place.workspace)
    with place.session() as session:
        synthesize(corpus, Echo(), load_profile("generic/en"), SynthesisSettings(), place.path / "q", session)
        asked = read_queries(place.path / "q", corpus)
        return mine(corpus, target, asked, retrievers, depth, place.path / name, session)


def taught(
    place: Place, teachers: Sequence[str] = (TEACHER,), out: str = "ex", settings: TeachingSettings | None = None
) -> dict[str, Any]:
    """Examples of the pool, which is mined first where it is not there."""
    if not (place.path / "pool").exists():
        mined(place)
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    with place.session() as session:
        found = lesson.lesson_of(place.path / "pool", corpus)
        return teach.teach(found, list(teachers), settings or TeachingSettings(), place.path / out, session)
