"""The language of a corpus that declares none: what a user would lose is a stemmer that fits, or worse, get one that
does not; and numbers that stay the same whatever the order of a file and whichever package is installed later."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import MissingExtra
from adapters.identity import text_digest
from adapters.sums import DamageWarning
from harness.data import detection
from harness.data.columns import TextWriter, open_texts
from harness.data.detection import CHARACTERS, PROBABILITY, SHARE, Vote, detect, judged, sampled
from harness.data.sources import load
from harness.data.texts import Texts
from harness.workspace import Workspace
from tests.sample_texts import SAMPLE, texts, undeclared

LANGUAGES = sorted(folder.parent.name for folder in SAMPLE.glob("*/corpus.jsonl"))


@pytest.fixture
def corpus(tmp_path: Path) -> Callable[[Sequence[str]], Texts]:
    made = iter(range(100))

    def write(documents: Sequence[str]) -> Texts:
        file = tmp_path / f"{next(made)}.arrow"
        with TextWriter(file) as out:
            for row, text in enumerate(documents):
                out.add(f"d{row}", text)
        return open_texts(file)

    return write


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path / "workspace")


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    detection._identifier.cache_clear()
    monkeypatch.setitem(sys.modules, "py3langid", None)
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)


def votes(count: int, language: str, probability: float = 1.0, characters: int = 100) -> list[list[Vote]]:
    return [[Vote(language, probability, characters)] for _ in range(count)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sample_is_recognised_in_each_of_its_languages(corpus: Any, language: str) -> None:
    assert detect(corpus(texts(language))).language == language


def test_what_is_looked_at_are_the_texts_with_the_smallest_digests(corpus: Any) -> None:
    documents = [f"text number {number}" for number in range(9000)]
    written = corpus(documents)
    smallest = sorted(map(text_digest, documents))[:200]
    assert [text_digest(text) for text in written.take(sampled(written))] == smallest


def test_the_order_of_the_file_and_repeated_texts_change_nothing(corpus: Any) -> None:
    documents = [f"text number {number}" for number in range(5000)]
    shuffled = [*documents, *[min(documents, key=text_digest)] * 5000, *documents[:77]]
    random.Random(1).shuffle(shuffled)
    first, second = corpus(documents), corpus(shuffled)
    assert first.take(sampled(first)) == second.take(sampled(second))
    assert len(sampled(second)) == 200


def test_a_small_corpus_is_looked_at_whole_and_an_empty_one_says_nothing(corpus: Any) -> None:
    small = corpus(["b", "a", "b"])
    assert sorted(small.take(sampled(small))) == ["a", "b"]
    assert detect(corpus([])).language is None


def test_half_of_one_language_and_half_of_another_is_neither(corpus: Any) -> None:
    german, english = texts("de"), texts("en")
    assert detect(corpus(german[:20] + english[20:])).language is None
    both = [f"{a} {b}" for a, b in zip(german, english, strict=True)]
    assert detect(corpus(both)).language is None, "half of every text"


@pytest.mark.parametrize(
    "documents",
    [
        [f"{number:08x} {number * 7919:08x} {number * 104729:08x}" for number in range(200)],
        [str(number**5) for number in range(300)],
        ["https://example.com/a?id=" + f"{number * 7919:x}" for number in range(200)],
        ["!?" * 40] * 3,
    ],
    ids=["ids", "numbers", "addresses", "no letters"],
)
def test_what_is_no_language_is_none(corpus: Any, documents: list[str]) -> None:
    assert detect(corpus(documents)).language is None


def test_a_language_needs_its_share_of_the_texts_and_of_their_characters() -> None:
    assert judged([*votes(90, "de"), *votes(10, "en")]).language == "de"
    assert judged([*votes(89, "de"), *votes(11, "en")]).language is None
    assert judged([*votes(95, "de", characters=10), *votes(5, "en", characters=1000)]).language is None
    assert judged([*votes(20, "de", characters=1000), *votes(80, "en", characters=10)]).language is None
    assert SHARE == 0.9


def test_a_language_needs_half_of_the_probability_and_enough_characters() -> None:
    assert judged(votes(10, "de", PROBABILITY)).language == "de"
    assert judged(votes(10, "de", PROBABILITY - 0.01)).language is None
    assert judged(votes(1, "de", characters=CHARACTERS)).language == "de"
    assert judged(votes(1, "de", characters=CHARACTERS - 1)).language is None
    assert (PROBABILITY, CHARACTERS) == (0.5, 500)


def test_varieties_count_for_the_language_that_leads_them_and_for_no_other() -> None:
    assert judged([*votes(60, "zh"), *votes(40, "wuu")]).language == "zh"
    assert judged([*votes(60, "ar"), *votes(40, "arz")]).language == "ar"
    assert judged([*votes(40, "ar"), *votes(60, "arz")]).language is None
    assert judged([*votes(60, "id"), *votes(40, "ms")]).language is None


def test_what_is_no_language_counts_against_the_languages() -> None:
    assert judged([*votes(80, "en"), *votes(20, "zxx")]).language is None
    assert judged(votes(100, "zxx")).language is None


def test_the_answer_is_kept_with_the_collection_and_not_asked_for_again(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = undeclared(tmp_path, "de")
    (first,) = load(str(folder), workspace)
    kept = json.loads((workspace.collections / first.fingerprint / detection.FILE).read_text("utf-8"))
    assert kept["language"] == "de"
    monkeypatch.setattr(detection, "detect", lambda _: pytest.fail("the texts were read again"))
    (second,) = load(str(folder), workspace)
    assert (first.language, first.detected_language) == (second.language, second.detected_language) == (None, "de")


def test_a_collection_that_was_stored_before_is_looked_at_when_it_is_opened(
    tmp_path: Path, workspace: Workspace
) -> None:
    folder = undeclared(tmp_path, "de")
    (found,) = load(str(folder), workspace)
    kept = workspace.collections / found.fingerprint / detection.FILE
    sound = kept.read_text("utf-8")
    for content in (None, "", "{}", '{"language": 7', sound.replace('"de"', '"en"')):
        if content is None:
            kept.unlink()
            (again,) = load(str(folder), workspace)
        else:
            kept.write_text(content)
            with pytest.warns(DamageWarning, match=r"detected-language\.json: .* and the language is detected again"):
                (again,) = load(str(folder), workspace)
        assert again.detected_language == "de"
        assert json.loads(kept.read_text("utf-8"))["language"] == "de"


def test_a_stored_language_without_a_digest_is_compared_with_the_texts(tmp_path: Path, workspace: Workspace) -> None:
    folder = undeclared(tmp_path, "de")
    (found,) = load(str(folder), workspace)
    kept = workspace.collections / found.fingerprint / detection.FILE
    written = json.loads(kept.read_text("utf-8"))
    del written["sum"]
    kept.write_text(json.dumps(written))
    (again,) = load(str(folder), workspace)
    assert (again.detected_language, "sum" in json.loads(kept.read_text("utf-8"))) == ("de", True)
    kept.write_text(json.dumps({**written, "language": "nl"}))
    with pytest.warns(DamageWarning, match="it says 'nl', the texts 'de'; .* the language of the texts is used"):
        (again,) = load(str(folder), workspace)
    assert again.detected_language == "de"


def test_a_collection_that_is_made_again_keeps_its_language(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = undeclared(tmp_path, "de")
    (found,) = load(str(folder), workspace)
    (workspace.collections / found.fingerprint / "corpus.arrow").write_bytes(b"")
    monkeypatch.setattr(detection, "detect", lambda _: pytest.fail("detected again"))
    with pytest.warns(DamageWarning, match="its source is read again"):
        (again,) = load(str(folder), workspace)
    assert again.detected_language == "de"


def test_the_detected_language_is_not_in_the_description(tmp_path: Path, workspace: Workspace) -> None:
    (found,) = load(str(undeclared(tmp_path, "de")), workspace)
    folder = workspace.collections / found.fingerprint
    described = json.loads((folder / "collection.json").read_text("utf-8"))
    assert set(described) == {
        "name",
        "split",
        "language",
        "rules",
        "counts",
        "fingerprint",
        "group",
        "published",
        "sum",
    }
    assert described["language"] is None


def test_nothing_else_about_a_collection_depends_on_its_language(tmp_path: Path, workspace: Workspace) -> None:
    folder = undeclared(tmp_path, "de")
    (plain,) = load(str(folder), workspace)
    (folder / "collection.toml").write_text('language = "de"')
    (declared,) = load(str(folder), workspace)
    assert (plain.fingerprint, plain.language, plain.spoken) == (declared.fingerprint, None, "de")
    assert (declared.language, declared.detected_language, declared.spoken) == ("de", None, "de")


def test_a_declared_language_is_never_looked_for(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "detect", lambda _: pytest.fail("the texts were read"))
    folder = undeclared(tmp_path, "de")
    (folder / "collection.toml").write_text('language = "en"')
    assert [one.spoken for one in load(str(folder), workspace)] == ["en"]
    assert {one.detected_language for one in load("demo", workspace)} == {None}


@pytest.mark.usefixtures("without_package")
def test_without_the_package_a_collection_opens_and_nothing_is_kept(tmp_path: Path, workspace: Workspace) -> None:
    (found,) = load(str(undeclared(tmp_path, "de")), workspace)
    assert (found.spoken, found.language_sought) == (None, False)
    assert not (workspace.collections / found.fingerprint / detection.FILE).exists()


@pytest.mark.usefixtures("without_package")
def test_without_the_package_the_error_names_the_extra(corpus: Any) -> None:
    with pytest.raises(MissingExtra, match=r"py3langid.*rerank-harness\[bm25\]"):
        detect(corpus(texts("de")))


def test_an_older_package_is_answered_with_the_one_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    detection._identifier.cache_clear()
    monkeypatch.setattr("py3langid.langid.LanguageIdentifier", object)
    with pytest.raises(MissingExtra, match=r"py3langid 0\.4 or newer"):
        detection._identifier()
