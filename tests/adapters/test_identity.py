"""Digests decide what is scored again and what is not: equal content has equal digests, and nothing else has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from adapters.errors import EnvironmentFailure, MissingExtra, did_you_mean, need
from adapters.identity import array_digest, digest, file_digest, text_digest, text_digests
from adapters.known_digests import files_digest


def test_texts_are_told_apart_to_the_last_space() -> None:
    texts = ["", " ", "a", "a ", "A", "á", "a\u0301", "a\n", "日本", "👍"]
    digests = text_digests(texts)
    assert digests.shape == (len(texts), 2)
    assert digests.dtype == np.dtype("<u8")
    assert len({row.tobytes() for row in digests}) == len(texts)


def test_a_text_has_the_same_digest_alone_and_among_others() -> None:
    assert text_digests(["x", "日本"])[1].tobytes() == text_digest("日本")


def test_no_texts_have_no_digests() -> None:
    assert text_digests([]).shape == (0, 2)


def test_text_digests_are_the_same_on_every_machine() -> None:
    """Blake2b of 'abc' with 16 bytes: another value would make every stored score unreachable."""
    assert text_digest("abc").hex() == "cf4ab791c62b8d2b2109c90275287816"


def test_a_text_with_half_a_character_can_be_digested() -> None:
    assert len(text_digest("broken \ud83d")) == 16


def test_a_description_is_its_content_not_its_order() -> None:
    assert digest({"a": 1, "b": [2, 3]}) == digest({"b": [2, 3], "a": 1})
    assert digest({"a": 1}) != digest({"a": "1"})
    assert digest({"a": None}) != digest({})
    assert digest({"a": [1, 2]}) != digest({"a": [2, 1]})


def test_a_description_with_a_value_that_is_not_a_number_has_no_digest() -> None:
    with pytest.raises(ValueError, match="JSON"):
        digest({"a": float("nan")})


def test_arrays_are_their_shape_type_and_bytes() -> None:
    array = np.arange(6, dtype=np.int32)
    reshaped = [array, array.reshape(2, 3), array.reshape(3, 2), array[::-1], array[:5]]
    different: list[npt.NDArray[np.generic]] = [*reshaped, array.astype(np.int64)]
    assert len({array_digest(one) for one in different}) == len(different)
    assert array_digest(array) == array_digest(array.copy())
    assert array_digest(np.arange(12, dtype=np.int32)[::2]) == array_digest(np.arange(0, 12, 2, dtype=np.int32))


def test_two_arrays_are_not_their_concatenation() -> None:
    array = np.arange(4)
    assert array_digest(array[:2], array[2:]) != array_digest(array)
    assert array_digest(array[:1], array[1:]) != array_digest(array[:2], array[2:])


def test_empty_arrays_can_be_digested() -> None:
    assert array_digest(np.empty((0, 2))) != array_digest(np.empty((0, 3)))


def test_a_file_is_its_bytes(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"x" * 5_000_000)
    other.write_bytes(b"x" * 5_000_000)
    assert file_digest(one) == file_digest(other)
    other.write_bytes(b"x" * 4_999_999 + b"y")
    assert file_digest(one) != file_digest(other)


def test_files_are_their_names_and_bytes_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    before = files_digest(tmp_path, ["a", "b"])
    assert files_digest(tmp_path, ["b", "a"]) == before
    (tmp_path / "a").write_text("2")
    (tmp_path / "b").write_text("1")
    assert files_digest(tmp_path, ["a", "b"]) != before


def test_a_missing_dependency_names_the_extra_that_brings_it() -> None:
    with pytest.raises(MissingExtra, match=r"drawing needs the package 'no_such_thing'.*rerank-harness\[plots\]"):
        need("no_such_thing.part", "plots", "drawing")


def test_a_dependency_that_lacks_its_own_dependency_is_not_called_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_installed_of_a_test.py").write_text("import another_thing_of_a_test\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(EnvironmentFailure, match=r"cannot be imported .*another_thing_of_a_test"):
        need("half_installed_of_a_test", "plots", "drawing")


def test_an_unknown_name_is_answered_with_the_near_ones_and_all_of_them() -> None:
    assert did_you_mean("lenght", ["length", "depth"]) == " Did you mean length? Available: depth, length."
    assert did_you_mean("xyz", ["length"]) == " Available: length."
    assert did_you_mean("xyz", []) == " Available: none."
