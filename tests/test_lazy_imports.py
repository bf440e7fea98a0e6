"""Nothing heavy is imported before it is needed: what a user would lose is help that answers at once, and an
installation without torch that still evaluates runs. Loaded modules are looked at, never the clock."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapters import tiny
from harness.cli.verb import taken

ROOT = Path(__file__).parents[1]
HEAVY = (
    "jinja2",
    "torch",
    "transformers",
    "sentence_transformers",
    "mteb",
    "beir",
    "ir_datasets",
    "pandas",
    "matplotlib",
    "datasets",
    "onnxruntime",
    "bm25s",
    "py3langid",
    "tokenizers",
    "scipy",
    "sklearn",
    "peft",
)
COMMANDS = [["--help"], *([verb, "--help"] for verb in sorted(taken())), ["list", "adapters"]]
RUN = """import sys, json
sys.argv = ["harness", *sys.argv[1:]]
from harness.cli import main
try:
    main()
finally:
    """


def loaded(code: str, *arguments: str, folder: Path = ROOT) -> list[str]:
    """The heavy packages that a new interpreter has loaded after the code."""
    tell = "print('\\n' + json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", code + tell, *arguments], capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return sorted(set(json.loads(done.stdout.splitlines()[-1])) & set(HEAVY))


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_help_and_lists_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    assert loaded(RUN, *arguments, folder=tmp_path) == []


@pytest.mark.parametrize("room", ["adapters", "harness", "reports", "training", "leaderboards"])
def test_importing_every_module_of_a_room_loads_nothing_heavy(room: str) -> None:
    files = [file.relative_to(ROOT).with_suffix("").parts for file in sorted((ROOT / room).rglob("*.py"))]
    names = [".".join(parts) for parts in files if not parts[-1].startswith("__")]
    assert loaded(f"import sys, json, {', '.join([room, *names])}\n") == []


def rows(folder: Path) -> Path:
    """A target with candidates of its own."""
    one = {"query": "when is low tide", "positive": ["low tide is at noon"], "negative": ["bread", "the mill"]}
    file = folder / "rows.jsonl"
    file.write_text(f"{json.dumps(one)}\n", "utf-8")
    return file


def test_a_run_of_bm25_loads_nothing_that_models_need(tmp_path: Path) -> None:
    pytest.importorskip("Stemmer")
    asked = [str(rows(tmp_path)), "--reranker", "bm25", "--language", "en", "--workspace", str(tmp_path / "workspace")]
    assert set(loaded(RUN, "run", *asked)) <= {"scipy"}


def test_a_run_of_a_cross_encoder_loads_only_what_scores_pairs(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    model = tiny.cross_encoder(tmp_path / "model")
    asked = [
        str(rows(tmp_path)),
        "--reranker",
        str(model),
        "--language",
        "en",
        "--workspace",
        str(tmp_path / "workspace"),
    ]
    found = set(loaded(RUN, "run", *asked))
    assert {"torch", "transformers"} <= found
    not_needed = {"sentence_transformers", "sklearn", "pandas", "matplotlib", "datasets", "peft", "onnxruntime"}
    assert not found & (not_needed | {"bm25s", "py3langid", "mteb", "beir", "ir_datasets"})


def test_importing_harness_loads_no_module_of_it() -> None:
    code = "import sys, harness; dir(harness); print([n for n in sys.modules if n.startswith(('harness.', 'numpy'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_something_heavy_would_be_seen() -> None:
    assert "tokenizers" in loaded("import sys, json, tokenizers\n")
