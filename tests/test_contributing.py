"""What CONTRIBUTING.md shows is run as it stands: a new contributor would lose the first half hour."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
BLOCKS = [
    (str(kind), str(text)) for kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
]
CONSOLE = [line for kind, text in BLOCKS if kind == "console" for line in text.splitlines()]
DOCUMENTS = {"d1": "red green blue", "d2": "red red red", "d3": "green grey", "d4": "nothing of it"}


ADDED = [
    re.findall(r"`([^`]+)`", line) for line in GUIDE.partition("| to add |")[2].partition("\n\n")[0].splitlines()[2:]
]
"""The names in each row of the table of what takes one place."""


def block(kind: str, start: str) -> str:
    """The one block of a kind that starts so."""
    (found,) = [text for name, text in BLOCKS if name == kind and text.startswith(start)]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A contributor's folder: the reranker and the task as the guide shows them, and a small BEIR folder."""
    (tmp_path / "overlap.py").write_text(block("python", '"""A reranker'), "utf-8")
    task, beir = tmp_path / "my-task", tmp_path / "beir"
    (beir / "qrels").mkdir(parents=True)
    task.mkdir()
    (task / "test.jsonl").write_text(block("json", "{"), "utf-8")
    (task / "collection.toml").write_text(block("toml", "name"), "utf-8")
    rows = [json.dumps({"_id": key, "title": "", "text": text}) for key, text in DOCUMENTS.items()]
    (beir / "corpus.jsonl").write_text("\n".join(rows), "utf-8")
    (beir / "queries.jsonl").write_text('{"_id": "q", "text": "Red green blue"}', "utf-8")
    (beir / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td1\t1\n", "utf-8")
    return tmp_path


def harness(command: str, folder: Path, *installed: Path) -> str:
    """What a command of the guide prints, with packages that are installed in other folders."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*installed, ROOT]))}
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def evaluations(command: str, folder: Path, *installed: Path) -> list[dict[str, Any]]:
    told: dict[str, list[dict[str, Any]]] = json.loads(harness(f"{command} --json", folder, *installed))
    return told["evaluations"]


def scores(folder: Path) -> dict[str, float]:
    """Document to score, of the report's run file of the plug-in."""
    (file,) = folder.glob("report/runs/*overlap*.trec")
    lines = [line.split() for line in file.read_text("utf-8").splitlines()]
    return {line[2]: float(line[4]) for line in lines}


def test_the_reranker_scores_what_it_says_and_fits_in_20_lines(folder: Path) -> None:
    assert len(block("python", '"""A reranker').splitlines()) <= 20
    command = "harness run ./beir --first-stage bm25 --measure RR@10 --reranker overlap:Overlap --out report"
    _, reranked = evaluations(command, folder)
    assert reranked["pairs_scored_now"] == 3
    assert reranked["measures"]["RR@10"]["value"] == 1.0
    assert scores(folder) == pytest.approx({"d1": 1.0, "d2": 1 / 3, "d3": 1 / 3})


def test_an_option_makes_other_scores_under_another_identity(folder: Path) -> None:
    specs = "--reranker overlap:Overlap --reranker 'overlap:Overlap?fold_case=false'"
    _, folded, exact = evaluations(f"harness run ./beir --first-stage bm25 {specs}", folder)
    assert exact["id"] != folded["id"]
    assert exact["pairs_scored_now"] == folded["pairs_scored_now"] == 3


def test_the_entry_point_gives_it_a_name(folder: Path) -> None:
    lines = block("toml", "[project.entry-points").splitlines()
    declared = folder / "site" / "overlap-1.dist-info"
    declared.mkdir(parents=True)
    (folder / "overlap.py").rename(folder / "site" / "overlap.py")
    (declared / "METADATA").write_text("Metadata-Version: 2.1\nName: overlap\nVersion: 1\n", "utf-8")
    entry = "\n".join(["[harness.adapters]", *(line.replace('"', "") for line in lines[1:])])
    (declared / "entry_points.txt").write_text(entry, "utf-8")
    _, named = evaluations("harness run ./beir --first-stage bm25 --reranker overlap", folder, folder / "site")
    assert named["pairs_scored_now"] == 3


def test_the_task_fits_in_8_lines_and_declares_its_measure(folder: Path) -> None:
    lines = "".join([block("json", "{"), block("toml", "name")]).splitlines()
    assert len(lines) <= 8
    first, reranked = evaluations("harness run ./my-task --first-stage given --reranker overlap:Overlap", folder)
    assert list(first["measures"]) == list(reranked["measures"]) == ["AP@1000"]


@pytest.mark.parametrize("command", CONSOLE)
def test_every_command_of_the_guide_works(command: str, folder: Path) -> None:
    assert "overlap:Overlap" in harness(command, folder)


def test_the_table_says_how_to_add_one_of_each() -> None:
    rows = [line.split("|")[1].strip() for line in GUIDE.splitlines() if re.match(r"\| an? [a-z]+ \|", line)]
    assert rows == ["a column", "a measure", "a loss", "an alarm", "a verb"]


@pytest.mark.parametrize("row", ADDED, ids=[row[-2] for row in ADDED])
def test_what_the_table_names_is_there_and_its_test_adds_one(row: list[str]) -> None:
    *named, file, test = row
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    names = [name for name in named if not name.endswith("/")]
    assert names and all(callable(getattr(module, name)) for name in names)
    copied = (ROOT / test).read_text("utf-8")
    assert all(f"{name}(" in copied for name in names)
    assert "already" in copied, "a name that is taken twice"


def test_the_script_of_the_guide_is_the_command_line_with_what_it_adds(folder: Path) -> None:
    (folder / "mine.py").write_text(block("python", '"""The command line'), "utf-8")
    words = [sys.executable, "mine.py", "train", "fit", "--help"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert "|mine>" in done.stdout, done.stderr
