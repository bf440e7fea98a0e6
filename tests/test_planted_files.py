"""Every file that people write, or that the program reads back, with a fault planted in it: a user would lose the one
line that names the file and the key, and get a traceback or a silent default in its place."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from adapters.adapted import adapted_on
from adapters.errors import HarnessError
from adapters.judges.calibration import read_calibration
from adapters.prompt_template import load_template
from harness.cli import app
from harness.cli.options import _configured
from harness.data.sources.declared import combine, read
from harness.data.sources.stored import MARKER, description_in
from harness.judging.gate.policy import read_policy
from harness.result.adaptation.reading import read_record
from reports.systems_file import read_systems
from tests.reports.training.made import made
from training.adapted import corpora_of
from training.adapting import anchor, deciding, opening
from training.job import read_manifest
from training.merging.mergekit_yaml import read_yaml
from training.synthesis.profiles import load_profile
from training.teaching.lesson import target_of
from training.teaching.teachers import read_facts
from training.validating.conformance import conformance_of
from training.validating.validate import read_validation

SYSTEM = "org/model"
COUNTS = ("documents", "queries", "judgments", "judged_zero", "empty_documents", "duplicate_texts")
MORE_COUNTS = ("queries_without_relevant", "queries_without_judgments")


@dataclass(frozen=True)
class Kind:
    """A kind of file: how it is read, a sound one, and which of its keys the faults are planted in."""

    file: str
    read: Callable[[Path], object]
    sound: Mapping[str, Any]
    typed: str
    """A key, or keys joined by '.', whose value becomes of another type."""
    number: str | None = None
    needed: str | None = None
    """A key that may not be left out."""
    closed: bool = True
    """Whether keys that nobody knows are refused."""
    own: bool = True
    """Whether only this program writes files of this name there; those of other tools are passed over."""


def config(file: Path) -> object:
    command: Any = typer.main.get_command(app)
    return _configured(typer.Context(command.commands["run"]), file)


def of_system(file: Path) -> object:
    return read_systems(file, [SYSTEM])


DESCRIPTION = {
    "name": "a", "split": "test", "language": None, "rules": {"allow": []}, "fingerprint": "f",
    "counts": dict.fromkeys((*COUNTS, *MORE_COUNTS), 1),
}  # fmt: skip
KINDS = [
    Kind("gate.toml", read_policy, {"margin": 1.0, "local": {"small": 3}}, "local.small", "margin"),
    Kind("collection.toml", lambda file: combine([read(file)]), {"name": "a", "parallel": True}, "parallel"),
    Kind("experiment.toml", config, {"depth": 3, "targets": ["a"]}, "depth", "depth"),
    Kind("systems.toml", of_system, {SYSTEM: {"licence": "mit", "parameters": 3}}, f"{SYSTEM}.licence",
         f"{SYSTEM}.parameters"),
    Kind("template.toml", lambda file: load_template(str(file)), {"body": "{query} or {document}", "max_length": 3},
         "max_length", "max_length", "body"),
    Kind("profile.toml", lambda file: load_profile(str(file)), {"language": "en", "count": 3, "max_overlap": 0.5},
         "count", "max_overlap", "language"),
    Kind("facts.toml", lambda file: read_facts(file, ["a"]), {"a": {"commercial_use": True}}, "a.commercial_use"),
    Kind("recipe.yaml", read_yaml, {"merge_method": "linear", "models": [{"model": "a"}, {"model": "b"}], "seed": 3},
         "seed", "seed", "merge_method"),
    Kind("record.json", read_record, made(), "arms", "seconds", "run"),
    Kind("anchor.json", anchor._read, {"name": "a", "dev": "a", "gate": "a", "final": "a", "note": ""}, "dev", None,
         "note"),
    Kind("known.json", opening._labels, {"collections": ["a"]}, "collections", None, "collections"),
    Kind("look.json", deciding._id_in, {"look": "a"}, "look", None, "look"),
    Kind(MARKER, lambda file: description_in(file.parent), DESCRIPTION, "counts.queries", "counts.judgments",
         "fingerprint"),
    Kind("validation.json", lambda file: read_validation(file.parent),
         {"decision": {}, "sets": {"real": 1}, "remarks": [], "wishes": {"depth": 3}, "rows": []}, "sets.real",
         "sets.real", "rows"),
    Kind("calibration-1.json", read_calibration,
         {"version": 1, "judge": "f", "name": "a", "data": "d", "threshold": 0.5, "slope": 1.0, "intercept": 0.0,
          "figures": {"AUC": [0.8, 0.7, None]}}, "threshold", "slope", "intercept"),
    Kind("manifest.json", lambda file: target_of(file.parent),
         {"stage": "mine", "corpus": "f", "corpus_target": "a", "digest": "d", "language": None}, "digest", None,
         "corpus_target", closed=False),
    Kind("manifest.json", lambda file: corpora_of([file.parent / "examples.jsonl"]),
         {"stage": "teach", "corpus": "f", "corpus_name": "a"}, "corpus", None, "corpus_name", closed=False, own=False),
]  # fmt: skip
ANY_KEYS = [
    Kind("manifest.json", lambda file: read_manifest(file.parent, "mine"), {"stage": "mine"}, ""),
    Kind("conformance.json", lambda file: conformance_of(file.parent), {"accepted": 1}, ""),
    Kind("merge.json", lambda file: adapted_on(file.parent), {"adapted_on": ["a"]}, ""),
]
"""Files whose keys are not of one class."""


def toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return "nan" if isinstance(value, float) and math.isnan(value) else json.dumps(value)


def text_of(kind: Kind, content: Mapping[str, Any]) -> str:
    """JSON is YAML, all but NaN."""
    if kind.file.endswith(".toml"):
        return "".join(f"{json.dumps(key)} = {toml(value)}\n" for key, value in content.items())
    text = json.dumps(content)
    return text.replace("NaN", ".nan") if kind.file.endswith(".yaml") else text


def changed(content: Mapping[str, Any], way: str, value: object) -> dict[str, Any]:
    """The content with another value at the end of a way."""
    key, _, rest = way.partition(".")
    return {**content, key: changed(content[key], rest, value) if rest else value}


def with_twice(kind: Kind, text: str) -> str:
    key = json.dumps(next(iter(kind.sound)))
    value = toml(next(iter(kind.sound.values()))) if kind.file.endswith(".toml") else "1"
    return f"{text}{key} = {value}\n" if kind.file.endswith(".toml") else f"{text[:-1]}, {key}: {value}}}"


def planted() -> Iterator[Any]:
    """Kind, content of the file, what the message has to name."""
    for kind in KINDS:
        sound, last = kind.sound, kind.typed.rpartition(".")[2]
        cases: dict[str, tuple[str | bytes, str]] = {
            "wrong type": (text_of(kind, changed(sound, kind.typed, {"x": []})), last),
            "list in place of a table": (text_of(kind, changed(sound, kind.typed.partition(".")[0], [[1]])), ""),
            "not UTF-8": (text_of(kind, sound).encode() + b"# \xff", "not UTF-8"),
            "half a file": (text_of(kind, sound)[:-3], "not "),
        }
        if kind.own:
            cases["key twice"] = (with_twice(kind, text_of(kind, sound)), next(iter(sound)))
        if kind.closed:
            unknown = "out_dtyp" if kind.read is read_yaml else "nonsense"  # mergekit ignores what is no misspelling
            cases["unknown key"] = (text_of(kind, {**sound, unknown: 1}), unknown)
        if kind.number:
            number = kind.number.rpartition(".")[2]
            cases["NaN"] = (text_of(kind, changed(sound, kind.number, math.nan)), number)
            cases["true for a number"] = (text_of(kind, changed(sound, kind.number, True)), number)
            cases["text for a number"] = (text_of(kind, changed(sound, kind.number, "3")), number)
        if kind.needed:
            left = {key: value for key, value in sound.items() if key != kind.needed}
            cases["missing key"] = (text_of(kind, left), kind.needed)
            cases["empty"] = (b"", "")
        if kind.own and not kind.file.endswith(".toml"):
            cases["list at the top"] = (b"[1]", "")
        yield from (pytest.param(kind, *case, id=f"{kind.file}-{name}") for name, case in cases.items())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.file)
def test_the_sound_file_is_read(kind: Kind, tmp_path: Path) -> None:
    file = tmp_path / kind.file
    file.write_text(text_of(kind, kind.sound), "utf-8")
    assert kind.read(file) is not None


@pytest.mark.parametrize(("kind", "content", "named"), list(planted()))
def test_a_planted_fault_is_one_line_that_names_file_and_key(
    kind: Kind, content: str | bytes, named: str, tmp_path: Path
) -> None:
    file = tmp_path / kind.file
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(HarnessError) as caught:
        kind.read(file)
    said = str(caught.value)
    assert "\n" not in said
    assert str(file) in said and named in said
    assert "msgspec" not in said and "$" not in said and "`" not in said.replace("`harness", "").replace("`train", "")


@pytest.mark.parametrize("kind", [*KINDS, *ANY_KEYS], ids=lambda kind: kind.file)
@pytest.mark.parametrize("content", [b'{"a": 1', b'{"a": "\xff"}', b"[" * 100_000], ids=["cut off", "no text", "deep"])
def test_what_cannot_be_parsed_is_one_line(kind: Kind, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / kind.file
    file.write_bytes(content)
    with pytest.raises(HarnessError) as caught:
        kind.read(file)
    assert "\n" not in str(caught.value) and str(file) in str(caught.value)


@pytest.mark.parametrize("kind", KINDS[:12], ids=lambda kind: kind.file)
def test_a_folder_in_place_of_the_file_is_one_line(kind: Kind, tmp_path: Path) -> None:
    file = tmp_path / kind.file
    file.mkdir()
    with pytest.raises(HarnessError) as caught:
        kind.read(file)
    assert "\n" not in str(caught.value) and str(file) in str(caught.value)
