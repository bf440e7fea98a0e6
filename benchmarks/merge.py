"""Seconds and memory of merging two 0.6B checkpoints, ours beside mergekit's and beside the disk's speed, in one run.

    python benchmarks/merge.py [--mergekit ENVIRONMENT/bin/python] [--rounds 3] [--out FILE.json]

The checkpoints are made up: the shapes of Qwen3-0.6B in bfloat16, three files each, the second one the first plus
small differences. Inputs are in the disk's cache on all sides; whole processes are timed, from start to exit. Needs
5 GB in the folder of temporary files (TMPDIR) and an environment with mergekit 0.1.5 for its side.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from harness.result.environment import machine
from training.merging.tensors import Floats, decode, encode, open_file

ROOT = Path(__file__).parents[1]
LAYERS, WIDTH, INNER, HEAD, HEADS, KV_HEADS, VOCABULARY = 28, 1024, 3072, 128, 16, 8, 151_936
CONFIG = {
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": WIDTH, "intermediate_size": INNER,
    "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "head_dim": HEAD,
    "vocab_size": VOCABULARY, "tie_word_embeddings": True, "max_position_embeddings": 40_960, "rms_norm_eps": 1e-6,
    "rope_theta": 1_000_000.0, "hidden_act": "silu", "attention_bias": False, "torch_dtype": "bfloat16",
}  # fmt: skip
RECIPE = "merge_method: slerp\nbase_model: {a}\nmodels: [{{model: {a}}}, {{model: {b}}}]\nparameters: {{t: 0.5}}\n"


def shapes() -> dict[str, tuple[int, ...]]:
    """The tensors of Qwen3-0.6B."""
    layer = {
        "input_layernorm": (WIDTH,), "mlp.down_proj": (WIDTH, INNER), "mlp.gate_proj": (INNER, WIDTH),
        "mlp.up_proj": (INNER, WIDTH), "post_attention_layernorm": (WIDTH,), "self_attn.k_norm": (HEAD,),
        "self_attn.k_proj": (KV_HEADS * HEAD, WIDTH), "self_attn.o_proj": (WIDTH, HEADS * HEAD),
        "self_attn.q_norm": (HEAD,), "self_attn.q_proj": (HEADS * HEAD, WIDTH),
        "self_attn.v_proj": (KV_HEADS * HEAD, WIDTH),
    }  # fmt: skip
    layers = {f"model.layers.{n}.{name}.weight": shape for n in range(LAYERS) for name, shape in layer.items()}
    return {"model.embed_tokens.weight": (VOCABULARY, WIDTH), **layers, "model.norm.weight": (WIDTH,)}


def write_checkpoint(folder: Path, moved: float, files: int = 3) -> None:
    """A checkpoint in several files; `moved` is the relative length of the differences to the start."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1), "utf-8")
    groups, weight_map = np.array_split(np.array(list(shapes())), files), {}
    for number, group in enumerate(groups, 1):
        name = f"model-{number:05d}-of-{files:05d}.safetensors"
        weight_map |= dict.fromkeys(map(str, group), name)
        _write(folder / name, [str(tensor) for tensor in group], moved)
    index = {"metadata": {"total_size": 2 * sum(map(_size, shapes()))}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), "utf-8")


def _write(path: Path, names: Sequence[str], moved: float) -> None:
    entries, start = {}, 0
    for name in names:
        entries[name] = {"dtype": "BF16", "shape": shapes()[name], "data_offsets": [start, start + 2 * _size(name)]}
        start += 2 * _size(name)
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for name in names:
            for piece in _values(name, moved):
                file.write(encode(piece, "BF16").data)


def _values(name: str, moved: float) -> Iterator[Floats]:
    draw = np.random.default_rng(list(name.encode()))
    for start in range(0, _size(name), 1 << 20):
        length = min(1 << 20, _size(name) - start)
        base, step = draw.standard_normal(length, np.float32), draw.standard_normal(length, np.float32)
        yield (base + np.float32(moved) * step) * np.float32(0.02)


def _size(name: str) -> int:
    return int(np.prod(shapes()[name]))


def timed(command: Sequence[str], folder: Path) -> dict[str, float]:
    """Seconds, processor seconds and peak memory of a process: private (anonymous pages), and all that is resident."""
    started = time.perf_counter()
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    private = resident = 0
    while True:
        done, status, used = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        private, resident = (
            max(private, _kilobytes(process.pid, "RssAnon")),
            max(resident, _kilobytes(process.pid, "VmHWM")),
        )
        time.sleep(0.01)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "processor_seconds": round(used.ru_utime + used.ru_stime, 2),
        "peak_private_mb": round(private / 1000),
        "peak_resident_mb": round(resident / 1000),
    }


def _kilobytes(pid: int, field: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{field}:")), 0)


def disk(models: Path) -> dict[str, float]:
    """What the disk takes for the same bytes: reading both checkpoints, and writing one, synced."""
    buffer, started = bytearray(1 << 22), time.perf_counter()
    for file in sorted(models.glob("*/*.safetensors")):
        with file.open("rb", buffering=0) as opened:
            while opened.readinto(buffer):
                pass
    read = time.perf_counter() - started
    started = time.perf_counter()
    for file in sorted((models / "a").glob("*.safetensors")):
        copy = models.parent / "copy"
        with file.open("rb", buffering=0) as source, copy.open("wb", buffering=0) as target:
            while count := source.readinto(buffer):
                target.write(memoryview(buffer)[:count])
            os.fsync(target.fileno())
        copy.unlink()
    return {"read_seconds": round(read, 2), "copy_seconds": round(time.perf_counter() - started, 2)}


def compare(folder: Path, mergekit: Path | None, rounds: int) -> dict[str, object]:
    """All sides, one after the other in every round."""
    models, recipe = folder / "models", folder / "recipe.yaml"
    for name, moved in (("a", 0.0), ("b", 0.05)):
        write_checkpoint(models / name, moved)
    recipe.write_text(RECIPE.format(a=models / "a", b=models / "b"), "utf-8")
    ours, theirs = folder / "ours", folder / "theirs"
    sides = {"ours": [sys.executable, "-m", "harness", "merge", str(recipe), str(ours)]}
    if mergekit is not None:
        program = "from mergekit.scripts.run_yaml import main; main()"
        sides["mergekit"] = [str(mergekit), "-c", program, str(recipe), str(theirs), "--no-copy-tokenizer", "--quiet"]
    found: dict[str, list[dict[str, float]]] = {"disk": [], **{side: [] for side in sides}}
    for _ in range(rounds):
        found["disk"].append(disk(models))
        for side, command in sides.items():
            _remove(folder / {"ours": "ours", "mergekit": "theirs"}[side])
            os.sync()
            found[side].append(timed(command, folder))
    result: dict[str, object] = {"machine": machine(), "rounds": rounds, "parameters": sum(map(_size, shapes()))}
    result["all"] = found
    result["median"] = {side: _medians(runs) for side, runs in found.items()}
    if mergekit is not None:
        result["agreement"] = agreement(ours, theirs)
    return result


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def agreement(ours: Path, theirs: Path) -> dict[str, float]:
    """How far the results are apart: the share of elements that differ, and by how many units of bfloat16 at most."""
    left, right = (
        {t.name: t for f in sorted(d.glob("*.safetensors")) for t in open_file(f).tensors} for d in (ours, theirs)
    )
    if left.keys() != right.keys():
        raise SystemExit("the two results have other tensors")
    differing = total = 0
    largest = 0.0
    for name, tensor in left.items():
        one, other = tensor.raw(), right[name].raw()
        apart = np.flatnonzero(one != other)
        differing, total = differing + len(apart), total + len(one)
        if len(apart):
            pair = [decode(raw[apart], "BF16", np.empty(len(apart), np.float32)) for raw in (one, other)]
            unit = np.exp2(np.floor(np.log2(np.maximum(np.abs(pair[0]), 1e-30))) - 7)
            largest = max(largest, float((np.abs(pair[0] - pair[1]) / unit).max()))
    return {"elements": total, "share_differing": differing / total, "largest_in_units": round(largest, 2)}


def _remove(folder: Path) -> None:
    for file in folder.glob("*") if folder.is_dir() else ():
        file.unlink()
    if folder.is_dir():
        folder.rmdir()


def main() -> None:
    """Print what each side took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mergekit", type=Path, help="the python of an environment with mergekit 0.1.5")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = compare(Path(folder), options.mergekit, options.rounds)
    text = json.dumps(result, indent=1) + "\n"
    print(text, end="")
    if options.out:
        options.out.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
