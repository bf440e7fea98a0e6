"""Display names: a reader sees short names, never two systems under one, and JSON keeps what leads to the result."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

REVERSE, ORACLE = "control:reverse", "control:oracle"
ODD = "A<b> & 50_%|x"


def names(place: Place, **own: str) -> Path:
    file = place.path / "names.toml"
    lines = {FIRST: "Words", REVERSE: ODD, **own}
    file.write_text("".join(f"{json.dumps(label)} = {json.dumps(name)}\n" for label, name in lines.items()), "utf-8")
    return file


@pytest.fixture
def stored(place: Place) -> Place:
    place.evaluations(
        place.load(place.beir("mine/one")), place.load(place.beir("mine/two")), rerankers=[REVERSE, ORACLE]
    )
    return place


def test_a_run_shows_the_names_in_its_tables_and_files_and_keeps_the_labels_in_json(
    place: Place, command: Command
) -> None:
    flags = ["--first-stage", FIRST, "--depth", 5, "--workspace", place.workspace.path, "--reranker", REVERSE]
    out, file = place.path / "out", names(place)
    said = command("run", place.beir(), *flags, "--names", file, "--out", out)
    assert said.code == 0, said.err
    assert "Words (first stage)" in said.out and ODD in said.out
    assert REVERSE not in said.out.partition("ALARM")[0] and FIRST not in said.out.partition("ALARM")[0]
    assert "A&lt;b> & 50_%\\|x" in (out / "report.md").read_text("utf-8")
    document = json.loads((out / "results.json").read_text("utf-8"))
    assert [(one["system"], one["display_name"]) for one in document["evaluations"]] == [
        (f"{FIRST} (first stage)", "Words (first stage)"), (REVERSE, ODD),
    ]  # fmt: skip
    assert document["macro"][REVERSE]["nDCG@10"]["value"] is not None
    assert document["display_names"][REVERSE] == ODD


def test_a_report_escapes_the_names_in_every_form(stored: Place, command: Command) -> None:
    flags = ["--names", names(stored), "--workspace", stored.workspace.path]
    shown = {form: command("report", *flags, "--format", form).out for form in ("markdown", "latex", "html", "csv")}
    assert "A&lt;b> & 50_%\\|x" in shown["markdown"]
    assert r"A\textless{}b\textgreater{} \& 50\_\%\textbar{}x" in shown["latex"]
    assert "A&lt;b&gt; &amp; 50_%|x" in shown["html"] and "<b>" not in shown["html"]
    assert ODD in shown["csv"]
    assert not any(REVERSE in text for text in shown.values())
    rows = json.loads(command("report", *flags, "--json").out)["tables"][0]["rows"]
    assert {(row["system"], row["display_name"]) for row in rows} >= {(REVERSE, ODD), (ORACLE, ORACLE)}


def test_a_comparison_shows_the_names(stored: Place, command: Command) -> None:
    flags = ["--names", names(stored), "--workspace", stored.workspace.path]
    said = command("compare", FIRST, REVERSE, ORACLE, *flags)
    assert "against Words (first stage)" in said.out and ODD in said.out and REVERSE not in said.out
    document = json.loads(command("compare", FIRST, REVERSE, *flags, "--json").out)
    assert document["display_names"][REVERSE] == ODD and REVERSE in document["measures"]["nDCG@10"]


@pytest.mark.parametrize("option", ["--names", "--systems"])
def test_a_board_takes_the_same_file(option: str, stored: Place, command: Command) -> None:
    pytest.importorskip("jinja2")
    out = stored.path / "site"
    said = command("board", option, names(stored), "--out", out, "--workspace", stored.workspace.path)
    assert said.code == 0, said.err
    page = (out / "index.html").read_text("utf-8")
    assert "A&lt;b&gt; &amp; 50_%|x" in page and "<b> &" not in page


@pytest.mark.parametrize(
    ("own", "hint"),
    [
        ({"control:revers": "x"}, "no system 'control:revers' here. Did you mean control:reverse"),
        ({ORACLE: ODD}, f"'{REVERSE}' and '{ORACLE}' would both be called '{ODD}'"),
        ({REVERSE: ORACLE}, f"would both be called '{ORACLE}'"),
        ({REVERSE: " "}, "a text that is not empty is needed"),
    ],
)
@pytest.mark.parametrize("verb", ["report", "run", "compare", "board"])
def test_a_wrong_file_is_one_line(own: dict[str, str], hint: str, verb: str, stored: Place, command: Command) -> None:
    arguments = {
        "compare": [FIRST, REVERSE],
        "run": [stored.path / "mine" / "one"],
        "board": ["--out", stored.path / "x"],
    }
    file = names(stored, **own)
    said = command(verb, *arguments.get(verb, []), "--names", file, "--workspace", stored.workspace.path)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1), said.err
    assert hint in said.err and "names.toml" in said.err
