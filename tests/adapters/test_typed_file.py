"""Files as classes: a user would lose that a typing error in a file is one line that names the file and the key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta

from adapters.errors import DataError, HarnessError, UsageError
from adapters.typed_file import read_json, read_object, read_toml, read_value, read_yaml
from adapters.typed_values import Count, Share, Text, typed
from adapters.typed_words import Then

Points = Annotated[float, Meta(ge=0.001, le=100), Then(lambda points: points / 100)]


@dataclass(frozen=True)
class Row:
    """An entry of a list."""

    licence: Text
    size: Count = 0


@dataclass(frozen=True)
class Local:
    """A table in the file."""

    min_drop: Points = 0.02


def _even(number: int) -> int:
    if number % 2:
        raise ValueError(f"{number} is odd; an even number is needed")
    return number


@dataclass(frozen=True)
class Sheet:
    """Every type that a field may have."""

    name: str
    local: Local = field(default_factory=Local)
    rows: Annotated[tuple[Row, ...], Meta(min_length=1)] | None = None
    test: Literal["paired", "unpaired"] = "paired"
    one_or_more: str | tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    shares: Mapping[str, Share] = field(default_factory=dict)
    span: tuple[float, float] = (0, 1)
    pairs: Annotated[int, Then(_even)] = 0
    at: Path | None = None
    quick: bool = False
    anything: Mapping[str, object] = field(default_factory=dict)
    made_by: str = field(default="", metadata={"key": "made by"})

    def problem(self) -> str | None:
        """A rule beyond types."""
        return "span: ends before it begins; write the smaller number first" if self.span[0] > self.span[1] else None


def refused(read: Callable[..., Any], file: Path, content: str | bytes) -> str:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError) as caught:
        read(file, Sheet)
    assert str(caught.value).startswith(f"{file}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{file}: ")


def test_a_file_becomes_its_class(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(
        'name = "a"\nlocal.min_drop = 2\nrows = [{licence = "mit"}]\none_or_more = "x"\nspan = [0, 2]\n'
        '"made by" = "b"\nshares = {de = 1}\nat = "here"\nanything = {x = [1, {y = true}]}\n'
    )
    assert read_toml(file, Sheet) == Sheet(
        "a", Local(0.02), (Row("mit"),), one_or_more="x", span=(0.0, 2.0), shares={"de": 1.0}, at=Path("here"),
        anything={"x": [1, {"y": True}]}, made_by="b",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("local.min_drop = 'x'", "local.min_drop: 'x' is not a number; a number from 0.001 to 100 is needed"),
        ("local.min_drop = 200", "local.min_drop: 200 is not allowed; a number from 0.001 to 100 is needed"),
        ("local.min_drop = true", "local.min_drop: true is not a number; a number from 0.001 to 100 is needed"),
        ("local.min_drop = nan", "local.min_drop: NaN is not a number; a number from 0.001 to 100 is needed"),
        ("shares.de = inf", "shares.de: infinity is not a number; a number from 0 to 1 is needed"),
        ("anything.a = [0, nan]", "anything.a[1]: NaN is not a number"),
        ("local = [1]", "local: a list is not a table"),
        ("local.min_drops = 1", "local.min_drops: unknown key. Did you mean min_drop? Available: min_drop."),
        ("nam = 'b'", "nam: unknown key. Did you mean name?"),
        ("rows = [{licence = 'x'}, {licence = ' '}]", "rows[1].licence: ' ' is not allowed; a text that is not empty"),
        ("rows = [{}]", "rows[0].licence: is missing; a text that is not empty is needed"),
        ("rows = [{licence = 'x', size = 1.0}]", "rows[0].size: 1.0 is not a whole number; a whole number of 0 or"),
        ("rows = []", "rows: 0 entries are not allowed; a list of tables with 1 or more entries is needed"),
        ("test = 'pared'", "test: 'pared' is not allowed. Did you mean paired"),
        ("test = 3", "test: 3 is not one of paired, unpaired"),
        ("one_or_more = 3", "one_or_more: 3 is not a text or a list of texts"),
        ("one_or_more = ['a', 3]", "one_or_more[1]: 3 is not a text"),
        ("several = 'a'", "several: 'a' is not a list of texts"),
        ("shares = {'b c' = 'x'}", "shares.\"b c\": 'x' is not a number; a number from 0 to 1 is needed"),
        ("span = [1]", "span: a list of 1 is not allowed; a list of 2 numbers is needed"),
        ("span = [2, 1]", "span: ends before it begins; write the smaller number first"),
        ("pairs = 3", "pairs: 3 is odd; an even number is needed"),
        ("quick = 1", "quick: 1 is not true or false"),
        ("at = 2020-01-01", "at: 2020-01-01 is not a path"),
        ("name = 'b'", "not TOML in line 2 (name = 'b'): Cannot overwrite a value"),
    ],
)
def test_a_wrong_line_is_named_with_what_is_allowed(line: str, said: str, tmp_path: Path) -> None:
    assert refused(read_toml, tmp_path / "a.toml", f"name = 'a'\n{line}").startswith(said)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    assert refused(read_toml, tmp_path / "a.toml", "") == "name: is missing; a text is needed"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty; an object is needed"),
        ("[]", "an empty list is not an object"),
        ('{"name": "a", "name": "b"}', "the key 'name' occurs twice; write it once"),
        ('{"name": "a", "local": {"min_drop": 1, "min_drop": 1}}', "the key 'min_drop' occurs twice; write it once"),
        ('{"name": "a", "shares": {"de": NaN}}', "shares.de: NaN is not a number; a number from 0 to 1 is needed"),
        ('{"name": "a", "shares": {"de": 1e999}}', "shares.de: infinity is not a number; a number from 0 to 1 is"),
        ('{"name": null}', "name: null is not a text"),
        ('{"name": "\\ud800"}', "name: '\\ud800' holds half a character"),
        ('{"name": 1' + "0" * 5000 + "}", "not JSON: Exceeds the limit"),
        ("[" * 100_000, "nested too deeply"),
        ('{"name": ' + "[" * 700 + "]" * 700 + "}", "nested too deeply; at most 100 levels"),
        ("{", "not JSON in line 1: Expecting property name"),
        (b'{"name": "\xff"}', "not UTF-8: byte 10 is 0xff; save it as UTF-8"),
    ],
)
def test_json_is_read_strictly(content: str | bytes, said: str, tmp_path: Path) -> None:
    assert refused(read_json, tmp_path / "a.json", content).startswith(said)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty; a mapping is needed"),
        ("name: a\nname: b", "the key 'name' occurs twice; write it once"),
        ("name: a\nshares: {de: .nan}", "shares.de: NaN is not a number; a number from 0 to 1 is needed"),
        ("name: a\n3: x", "the key 3 is not a text; write it in quotation marks"),
        ("name: a\n? [1]\n: x", "not YAML: while constructing a mapping"),
        ("name: 2020-01-01", "name: 2020-01-01 is not a text"),
        ("name: 2001-12-14t21:59:43.10-05:00", "name: 2001-12-14 21:59:43.100000-05:00 is not a text"),
        ("name: 2001-01-01 00:00:00 +99:99", "not YAML: "),
        ("name: !!int x", "not YAML: "),
        ("name: !!binary é", "not YAML: "),
        ("name: &a [*a]", "nested too deeply; at most 100 levels"),
        ("name: " + "[" * 700 + "]" * 700, "nested too deeply; at most 100 levels"),
        (
            "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]\n" for n in range(1, 9)),
            "its aliases mean more than 1,000,000 lists and mappings",
        ),
        ("name: " + "[" * 20_000, "nested too deeply; at most 100 levels"),
        ("name: 2020-99-01", "not YAML: month must be in 1..12"),
        ("!!python/object/apply:os.system [ls]", "not YAML: could not determine a constructor"),
    ],
)
def test_yaml_is_read_strictly(content: str, said: str, tmp_path: Path) -> None:
    assert refused(read_yaml, tmp_path / "a.yaml", content).startswith(said)


@pytest.mark.parametrize("read", [read_toml, read_json, read_yaml, lambda file, _: read_object(file)])
def test_what_is_no_file_is_one_line(read: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"cannot be read: Is a directory$"):
        read(tmp_path, Sheet)
    with pytest.raises(HarnessError, match=r"there is no such file$"):
        read(tmp_path / "a", Sheet)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name = " + "[" * 700 + "]" * 700, "nested too deeply; at most 100 levels"),
        ("name = " + "[" * 100_000, "nested too deeply; at most 100 levels"),
        ("name = 0x" + "f" * 6000, "name: a number of more than 4,300 digits is not a text"),
        ("name = " + "9" * 5000, "not TOML"),
        ('name = "a\\u001b[2J"\n"b\\u202e" = 1', '"b\\u202e": unknown key'),
    ],
)
def test_toml_is_read_strictly(content: str, said: str, tmp_path: Path) -> None:
    assert refused(read_toml, tmp_path / "a.toml", content).startswith(said)


@pytest.mark.parametrize("content", ['{"a": "\\ud800"}', '{"\\uDFFF": 1}', '["x", {"a": ["b\\ud83d"]}]'])
def test_half_a_character_in_a_file_of_others_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(content)
    with pytest.raises(DataError, match="half a character"):
        read_value(file)
    file.write_text('{"a": "\\ud83d\\ude00"}')
    assert read_value(file) == {"a": "\U0001f600"}


@pytest.mark.parametrize("read", [read_toml, read_json, read_yaml])
def test_a_name_with_a_nul_is_one_line(read: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="no file can have such a name"):
        read(tmp_path / "a\0b", Sheet)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    for name, content, read in (("a.json", '{"name": "a"}', read_json), ("a.toml", "name = 'a'", read_toml)):
        (tmp_path / name).write_text(content, "utf-8-sig")
        assert read(tmp_path / name, Sheet) == Sheet("a")


def test_a_part_of_a_file_is_typed_under_its_own_place() -> None:
    with pytest.raises(DataError, match=r"^rules\.toml \[de\]: licence: 3 is not a text.*; make it again$"):
        typed(Row, {"licence": 3}, "rules.toml [de]", error=DataError, advice="make it again")


def test_the_files_of_others_may_hold_any_keys_and_a_key_twice(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"a": 1, "a": 2, "b": NaN}')
    assert read_object(file)["a"] == 2
    file.write_text("[]")
    with pytest.raises(DataError, match=r"an object is needed$"):
        read_object(file)
