"""Stored JSON becomes values of the declared types, or one line that names the place: nothing is guessed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from harness.result.typed import Unreadable, parsed, typed


@dataclass(frozen=True)
class Inner:
    """A part."""

    name: str
    share: float | None = None


@dataclass(frozen=True)
class Outer:
    """Every kind of field that facts have."""

    count: int
    inner: Inner
    spans: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    several: tuple[Inner, ...] = ()
    by: Literal["option", "declared"] | None = None
    kept: bool | None = None
    anything: object = None


WHOLE = {
    "count": 3, "inner": {"name": "a", "share": 1}, "spans": {"x": [0, 0.5]}, "names": ["b", "c"],
    "several": [{"name": "d"}], "by": "option", "kept": True, "anything": [{}],
}  # fmt: skip


def test_every_field_has_its_type() -> None:
    found = typed(Outer, WHOLE, "place")
    assert found == Outer(
        3, Inner("a", 1.0), {"x": (0.0, 0.5)}, ("b", "c"), (Inner("d"),), "option", kept=True, anything=[{}]
    )


def test_what_is_absent_has_its_default_and_what_is_unknown_is_left_out() -> None:
    assert typed(Outer, {"count": 0, "inner": {"name": "a"}, "of a newer version": 1}, "place") == Outer(0, Inner("a"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"count": True}, "place.count is True, not a whole number"),
        ({"count": 1.0}, "place.count is 1.0, not a whole number"),
        ({"count": None}, "place.count is null, not a whole number"),
        ({"inner": {}}, "place.inner.name is missing"),
        ({"inner": {"name": 1}}, "place.inner.name is 1, not a text"),
        ({"inner": {"name": "a", "share": "1"}}, "place.inner.share is '1', not a number"),
        ({"inner": {"name": "a", "share": math.nan}}, "place.inner.share is nan, not a finite number"),
        ({"inner": []}, "place.inner is [], not an object"),
        ({"spans": {"x": [1]}}, "place.spans.x is [1], not a list of 2"),
        ({"spans": {"x": [1, "2"]}}, "place.spans.x is '2', not a number"),
        ({"spans": [1]}, "place.spans is [1], not an object"),
        ({"names": "abc"}, "place.names is 'abc', not a list"),
        ({"names": [None]}, "place.names is null, not a text"),
        ({"several": [{}]}, "place.several.name is missing"),
        ({"by": "guess"}, "place.by is 'guess', not one of option, declared"),
        ({"by": []}, "place.by is [], not one of option, declared"),
        ({"kept": 1}, "place.kept is 1, not true or false"),
        ({"count": "x" * 99}, f"place.count is '{'x' * 36}..., not a whole number"),
    ],
)
def test_another_type_is_refused_by_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(Unreadable) as caught:
        typed(Outer, {**WHOLE, **change}, "place")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"), [(None, "is null"), (b"{}", "is b'{}'"), ("{", "is not JSON"), ("", "is")]
)
def test_what_is_no_json_is_refused_by_its_place(text: object, message: str) -> None:
    with pytest.raises(Unreadable, match=f"^place {message}"):
        parsed(text, "place")
