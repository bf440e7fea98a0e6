"""What users say of their systems: a typo must not turn into an empty column."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.errors import UsageError
from harness.result.keys import CollectionKey, SystemKey
from reports.systems_file import DeclaredSystem, declared_of, read_systems

SYSTEMS = [SystemKey("org/model", "bm25", 100, "org/model"), SystemKey("bm25 (first stage)", "bm25", 100, None)]


def read(tmp_path: Path, text: str) -> dict[str, DeclaredSystem]:
    file = tmp_path / "systems.toml"
    file.write_text(text, "utf-8")
    return read_systems(file, [one.label for one in SYSTEMS])


def collection(name: str) -> CollectionKey:
    return CollectionKey(name, "test", "f", "en", None, 5, None, "nDCG@10")


def test_everything_that_can_be_said_is_kept(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        '["org/model"]\nname = "A"\nurl = "https://a.b/c"\nparameters = 568_000_000\nlicence = "mit"\n'
        'training = ["miracl", "beir/nq"]\nnote = "n"\n["bm25"]\nlicence = "none"\n',
    )
    assert found["org/model"] == DeclaredSystem("A", "https://a.b/c", 568_000_000, "mit", ("miracl", "beir/nq"), "n")
    assert declared_of(SYSTEMS[1], found).licence == "none"
    assert declared_of(SYSTEMS[0], {}) == DeclaredSystem()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[other]\n", "no system 'other'"),
        ('["org/modle"]\n', "Did you mean org/model"),
        ('["org/model"]\nlicense = "mit"\n', "license: unknown key. Did you mean licence"),
        ('["org/model"]\nparameters = "0.6B"\n', "whole number"),
        ('["org/model"]\nparameters = true\n', "whole number"),
        ('["org/model"]\nparameters = 0\n', "whole number"),
        ('["org/model"]\nurl = "javascript:alert(1)"\n', "is not a web address"),
        ('["org/model"]\nurl = "https:///x"\n', "is not a web address"),
        ('["org/model"]\ntraining = "miracl"\n', "list of collections"),
        ('["org/model"]\ntraining = [1]\n', '"org/model".training[0]: 1 is not a text'),
        ('["org/model"]\nlicence = ""\n', "\"org/model\".licence: '' is not allowed"),
        ('["org/model"]\nnote = 5\n', '"org/model".note: 5 is not a text'),
        ("bm25 = 5\n", "bm25: 5 is not a text or a table"),
        ('"org/model" = ""\n', "'' is not allowed"),
        ('"org/model" = "two\\nlines"\n', "one line of text"),
        ("[", "not TOML in line 1"),
    ],
)
def test_a_mistake_is_an_error_that_says_where(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        read(tmp_path, text)
    assert told in str(refused.value)
    assert "systems.toml" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        read_systems(tmp_path / "none.toml", [])


@pytest.mark.parametrize(
    ("said", "covered"),
    [("miracl", True), ("miracl/sw", True), ("miracl/*", True), ("mira", False), ("miracl/s", False), ("*", True)],
)
def test_training_data_is_named_as_collections_are(said: str, covered: bool) -> None:
    assert DeclaredSystem(training=(said,)).trained_on(collection("miracl/sw")) is covered


@pytest.mark.parametrize(
    ("parameters", "size", "size_class"),
    [
        (22_700_000, "22.7M", "up to 100M"), (568_000_000, "568M", "100M to 600M"), (999_900_000, "1B", "600M to 2B"),
        (4_020_000_000, "4.02B", "2B to 10B"), (70_000_000_000, "70B", "above 10B"),
    ],
)  # fmt: skip
def test_sizes_are_written_as_people_write_them(parameters: int, size: str, size_class: str) -> None:
    assert (DeclaredSystem(parameters=parameters).size, DeclaredSystem(parameters=parameters).size_class) == (
        size,
        size_class,
    )
