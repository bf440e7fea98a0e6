"""Computing time to a verdict: `gate --sequential` of this code and of an earlier commit, on the same checkpoints.

    python benchmarks/verdict.py MODEL XQUAD [--baseline COMMIT] [--noise 0.32] [--languages de en] [--questions 200]
        [--depth 20] [--dtype auto] [--work DIR] [--out FILE.json]

MODEL is a cross-encoder's folder, the accepted release. XQUAD is a folder with one BEIR folder per language, which is a
parallel set; BM25 is the first stage. Two checkpoints are made: to every weight matrix of `worse` noise of `--noise`
times its standard deviation is added (the loss is printed; 0.32 costs about 3 points on German and English at depth 5),
and of `same` noise of 1e-6 times it. The anchor's pairs are scored beforehand, by ours in the number format of
`--dtype`, and both sides start from copies of such a workspace, so an anchor that is known costs nothing. 1.00 is the
baseline. Figures are CPU-seconds of the whole command and its processes. A pass reads every pair, so its ratio is that
of the speed of a pair; a refusal also reads fewer.

With all languages and questions the gate tier has 12 x 714 queries: about 171,000 pairs are scored five times at most,
some 20 hours on two cores with MiniLM-L12. `--languages` and `--questions` make a smaller set; below about 300
questions the baseline cannot refuse before it has read them all.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from harness.result.environment import machine

HERE = Path(__file__).resolve().parent.parent
BEFORE_PACKING = "c6f1a1b"
"""The last commit before pairs were packed: a question in all its languages is one draw, and blocks grow by a
quarter."""
GOALS = {"worse": 0.7, "same": 0.95}
"""The goals without matrix instructions for bfloat16."""


@dataclass(frozen=True)
class Cost:
    """One command."""

    verdict: str
    queries: int
    delta: float
    cpu_seconds: float
    wall_seconds: float


def main() -> None:
    """Make the checkpoints, run both sides in turn, print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("xquad", type=Path)
    parser.add_argument("--baseline", default=BEFORE_PACKING)
    parser.add_argument("--noise", type=float, default=0.32)
    parser.add_argument("--languages", nargs="*", default=[])
    parser.add_argument("--questions", type=int)
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "auto"], help="of ours")
    parser.add_argument("--only", choices=list(GOALS), help="only this checkpoint")
    parser.add_argument("--work", type=Path, help="a folder to keep; prepared workspaces in it are used again")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = (options.work or Path(folder)).absolute()
        work.mkdir(parents=True, exist_ok=True)
        trees = {"baseline": checked_out(options.baseline, Path(folder) / "baseline"), "ours": HERE}
        try:
            result = compared(options, work, trees)
        finally:
            git("worktree", "remove", "--force", str(trees["baseline"]))
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def compared(options: argparse.Namespace, work: Path, trees: dict[str, Path]) -> dict[str, Any]:
    """The costs of both sides for each checkpoint, and their ratios."""
    amounts = {"worse": options.noise, "same": 1e-6}
    found: dict[str, dict[str, Cost]] = {}
    for name in [options.only] if options.only else list(GOALS):
        folder = perturbed(options.model, work / name, amounts[name])
        for side, tree in trees.items():
            workspace = work / f"{name}-{side}"
            shutil.rmtree(workspace, ignore_errors=True)
            other = options.dtype if side == "ours" else "float32"
            shutil.copytree(
                prepared(options, work, trees["baseline" if other == "float32" else "ours"], other), workspace
            )
            command = [*asked(options, folder, workspace, other), "--sequential"]
            found.setdefault(name, {})[side] = cost(tree, command)
            print(name, side, found[name][side], flush=True)
    return {
        "machine": machine(),
        "baseline": options.baseline,
        "languages": options.languages or "all",
        "questions": options.questions or "all of the gate tier",
        "depth": options.depth,
        "noise": options.noise,
        "dtype": options.dtype,
        "costs": {name: {side: asdict(one) for side, one in sides.items()} for name, sides in found.items()},
        "ratios": {
            name: round(sides["ours"].cpu_seconds / sides["baseline"].cpu_seconds, 3) for name, sides in found.items()
        },
        "goals": GOALS,
    }


def prepared(options: argparse.Namespace, work: Path, tree: Path, dtype: str) -> Path:
    """A workspace in which the anchor's pairs are known."""
    workspace = work / ("prepared" if dtype == "float32" else f"prepared-{dtype}")
    if not (workspace / "DONE").exists():
        print("anchor", cost(tree, asked(options, options.model.absolute(), workspace, dtype)), flush=True)
        (workspace / "DONE").touch()
    return workspace


def asked(options: argparse.Namespace, candidate: Path, workspace: Path, dtype: str) -> list[str]:
    """The command line of a gate."""
    languages = [f"--language={one}" for one in options.languages]
    formats = [] if dtype == "float32" else ["--dtype", dtype]
    sample = [] if options.questions is None else ["--sample-queries", str(options.questions)]
    return [
        "gate", str(options.xquad.absolute()), "--first-stage", "bm25", "--depth", str(options.depth),
        "--anchor", str(options.model.absolute()), "--candidate", str(candidate), "--measure", "nDCG@10",
        "--workspace", str(workspace), "--json", *languages, *sample, *formats,
    ]  # fmt: skip


def cost(tree: Path, arguments: list[str]) -> Cost:
    """Run a command of one tree.

    Raises:
        SystemExit: it gives no verdict.
    """
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(tree), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "harness", *arguments]
    done = subprocess.run(command, check=False, cwd=tree, env=environment, capture_output=True, text=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if not done.stdout.strip():
        sys.exit(done.stderr[-2000:])
    found = json.loads(done.stdout)
    macro = found["macro"]
    if macro is None:
        sys.exit(f"{found['verdict']}: {found['reasons']}")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(found["verdict"], macro["queries"], macro["delta"], round(seconds, 1), round(wall, 1))


def perturbed(model: Path, folder: Path, amount: float) -> Path:
    """A copy of a model whose matrices have noise of `amount` times their standard deviation."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(model, folder)
    generator, made = torch.Generator().manual_seed(1), {}
    for name, weight in load_file(folder / "model.safetensors").items():
        noisy = weight.is_floating_point() and weight.ndim == 2
        drawn = torch.randn(weight.shape, generator=generator) * weight.float().std() * amount if noisy else 0
        made[name] = (weight + drawn).to(weight.dtype).contiguous()
    save_file(made, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def checked_out(commit: str, folder: Path) -> Path:
    """A worktree of a commit."""
    git("worktree", "add", "--detach", str(folder), commit)
    return folder


def git(*arguments: str) -> None:
    """Run git in this repository."""
    subprocess.run(["git", "-C", str(HERE), *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    main()
