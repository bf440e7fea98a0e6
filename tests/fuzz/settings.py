"""Files that people write to configure a command, and specs."""

from __future__ import annotations

import json
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from adapters.errors import HarnessError
from adapters.judges.calibration import read_calibration
from adapters.judges.recorded import RecordedJudge
from adapters.prompt_template import load_template
from adapters.spec import open_generator, open_ranker, open_retriever, parse
from harness.cli import app
from harness.cli.options import _configured
from harness.data.sources.declared import combine, read
from harness.judging.gate.policy import read_policy
from harness.labelling.labelled import read_labelled
from reports.systems_file import read_systems
from tests.fuzz.kinds import Disagreement, Kind, constant
from training.adapting.config import AdaptConfig
from training.configuration import configured, file_layer
from training.merging.mergekit_yaml import read_yaml
from training.merging.recipe import Recipe
from training.synthesis.profiles import load_profile

SYSTEM = "org/model"
POLICY = """margin = 1.0
alpha = 0.05
measure = "nDCG@10"
[local]
small = 3
min_drop = 2.0
[looks]
release = "2.1"
budget = 4
"""
COLLECTION = """name = "a"
language = "de"
parallel = true
allow = ["duplicate-ids"]
main_measure = "AP@1000"
[files]
corpus = "x"
"""
EXPERIMENT = 'targets = ["a"]\ndepth = 3\nreranker = ["bm25"]\n'
SYSTEMS = (
    f'["{SYSTEM}"]\nname = "short"\nlicence = "mit"\nparameters = 3\nurl = "https://x.org"\ntraining = ["miracl/*"]\n'
)
TEMPLATE = 'body = "{query} or {document}"\nmax_length = 3\n'
PROFILE = 'language = "en"\ncount = 3\nmax_overlap = 0.5\n'
RECIPE = """merge_method: linear
models:
  - model: a
    parameters:
      weight: 0.5
  - model: b
    parameters:
      weight: [0.1, 0.9]
parameters:
  normalize: true
dtype: bfloat16
seed: 3
"""
SLERP = """merge_method: slerp
base_model: a
models:
  - model: a
  - model: b
parameters:
  t:
    - filter: self_attn
      value: [0, 0.5, 1]
    - value: 0.5
"""
CALIBRATION = json.dumps({
    "version": 1, "judge": "f", "name": "a", "data": "d", "threshold": 0.5, "slope": 1.0, "intercept": 0.0,
    "figures": {"AUC": [0.8, 0.7, None]},
})  # fmt: skip
CLAIMS = '{"premise": "p", "claim": "c", "label": 0.5}\n{"premise": "q", "claim": "d", "label": "supported"}\n'
WICE = '{"id": "a", "evidence": "[\'One.\']", "claim": "c", "label": "not_supported", "t5": 0.1}\n'
VERDICTS = '{"premise": "p", "claim": "c", "score": 0.5}\n{"premise": "q", "claim": "c", "score": 1}\n'
SPECS = (
    "bm25", "cross-encoder:./model@main?max_length=512&batch_tokens=100", "run:file.trec", "./folder?label=1",
    "org/name@rev",
    "tests.fake_adapters:Plain", "bm25?k1=1.2&b=0.75", "onnx:./model?file=model.onnx", "chat:http://host/v1?model=x",
    "control:random", "extractive", "packaged:english-cross-encoder",
)  # fmt: skip


def config(file: Path) -> object:
    command: Any = typer.main.get_command(app)
    return _configured(typer.Context(command.commands["run"]), file)


def adaptation(file: Path) -> object:
    return configured(AdaptConfig, [file_layer(file)])


def adapt_example(_: Path) -> list[bytes]:
    from training.configuration import toml_of

    return [toml_of(AdaptConfig()).encode()]


def spec(file: Path) -> object:
    """A spec is an argument of the command line: a text without NUL, in which undecodable bytes are surrogates."""
    text = file.read_bytes().decode("utf-8", "surrogateescape")
    parse(text)
    for opener in (open_ranker, open_retriever):
        with suppress(HarnessError):
            opener(text)
    return open_generator(text)


def compare_policy(file: Path, read_in: Any) -> bool:
    tables = tomllib.loads(file.read_text("utf-8-sig"))
    if "margin" in tables and abs(read_in.margin * 100 - tables["margin"]) > 1e-9:
        raise Disagreement(f"margin {read_in.margin} here, {tables['margin']} in the file")
    return True


def compare_recipe(file: Path, read_in: Recipe) -> bool:
    import yaml

    written = yaml.safe_load(file.read_text("utf-8-sig"))
    if [str(one["model"]) for one in written["models"]] != [one.model for one in read_in.inputs][
        : len(written["models"])
    ] and read_in.method != "slerp":
        raise Disagreement(f"models {[one.model for one in read_in.inputs]}")
    return True


KINDS = [
    Kind("policy", "mine/gate.toml", constant(POLICY), "toml", read_policy, compare_policy),
    Kind("collection-toml", "mine/collection.toml", constant(COLLECTION), "toml", lambda file: combine([read(file)])),
    Kind("config", "mine/experiment.toml", constant(EXPERIMENT), "toml", config),
    Kind("systems", "mine/systems.toml", constant(SYSTEMS), "toml", lambda file: read_systems(file, [SYSTEM])),
    Kind("template", "mine/template.toml", constant(TEMPLATE), "toml", lambda file: load_template(str(file))),
    Kind("profile", "mine/profile.toml", constant(PROFILE), "toml", lambda file: load_profile(str(file))),
    Kind("adapt-config", "mine/adapt.toml", adapt_example, "toml", adaptation),
    Kind(
        "mergekit",
        "mine/recipe.yaml",
        constant(RECIPE, SLERP, json.dumps({"merge_method": "linear", "models": [{"model": "a"}, {"model": "b"}]})),
        "yaml",
        read_yaml,
        compare_recipe,
        share=2,
        needs=("yaml",),
    ),
    Kind("calibration", "mine/calibration-1.json", constant(CALIBRATION), "json", read_calibration),
    Kind("claims", "mine/claims.jsonl", constant(CLAIMS, WICE), "jsonl", read_labelled),
    Kind("verdicts", "mine/verdicts.jsonl", constant(VERDICTS), "jsonl", lambda file: RecordedJudge(str(file)).check()),
    Kind("spec", "mine/spec", constant(*SPECS), "text", spec, share=2, sound=False),
]
