"""A configuration is the run that the same options were: an adaptation of the last release continues."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import UsageError
from adapters.identity import digest
from harness.cli.train_adapt import FORMER
from harness.judging.gate.policy import read_policy
from tests.training.test_configuration import NEEDS, another
from training.adapting.config import AdaptConfig, Gate
from training.adapting.ingredients import weights_of
from training.adapting.settings import AdaptationSettings, tasks_of, wishes_of
from training.adapting.start import policy_of
from training.adapting.targets import places_of
from training.configuration import Layer, configured, file_layer, nested, toml_of
from training.keys import keys_of
from training.settings import machine_of

NEEDED = {"base": "./student", "corpora": ["./abstracts"], "teaching.teachers": ["./teacher"]}
OTHER = {
    "base": "./student", "corpora": ["./a", "./b"], "seed": 7, "synthesis.generator": "./g",
    "synthesis.documents": 80, "synthesis.floor": 0, "synthesis.profiles": ["claim-en"],
    "synthesis.leak_threshold": 0.9, "mining.retrievers": ["bm25", "./m"], "mining.depth": 6,
    "teaching.teachers": ["./t", "./u"], "teaching.weights": [2, 1], "teaching.map": "unit",
    "teaching.facts": "facts.toml", "sampling.strategy": "top", "sampling.per_query": 6, "sampling.bins": 4,
    "sampling.scope": "query", "sampling.drop_above": 1, "general.data": ["./x"], "general.loss": "ranknet",
    "general.epochs": 2, "general.negatives": "run:f", "merge.ingredients": ["./i"], "training.seeds": 3,
    "training.loss.name": "margin-mse", "training.loss.scale": 4, "training.loss.shift": 1,
    "training.loss.temperature": 2, "training.loss.smallest_gap": 0.1, "training.epochs": 2,
    "training.max_steps": 30, "training.queries": 4, "training.learning_rate": 2e-4, "training.warmup": 0.2,
    "training.weight_decay": 0, "training.max_length": 192, "training.lora_rank": 8, "training.new_head": True,
    "training.dropout": False, "training.replay_share": 0, "training.precision": "float32",
}  # fmt: skip


def settings(values: dict[str, Any]) -> AdaptationSettings:
    return wishes_of(configured(AdaptConfig, [Layer("file", nested(values))]).config)


@pytest.mark.parametrize(
    ("values", "before"),
    [(NEEDED, "f5371fc3b4e35c16dfb8be96f46f777d"), (OTHER, "c884451fc1f21726a35164c1f28614aa")],
)
def test_the_same_settings_are_the_job_that_they_were_in_the_last_release(values: dict[str, Any], before: str) -> None:
    """The digests are of the options of that release. With another one a folder that was begun is refused."""
    assert digest(settings(values).describe()) == before


def test_every_key_reaches_the_run(tmp_path: Path) -> None:
    """What a user would lose: a key that is accepted, printed, and changes nothing."""
    (tmp_path / "gate.toml").write_text("[looks]\nrelease = '1'\n", "utf-8")
    always = {**NEEDED, "evaluation.dev": "d", "gate.policy": str(tmp_path / "gate.toml")}

    def run(values: dict[str, Any]) -> tuple[object, ...]:
        config = configured(AdaptConfig, [Layer("file", nested({**always, **values}))]).config
        despite = config.teaching.despite_teacher
        return (
            wishes_of(config).describe(), places_of(config.evaluation), policy_of(config.gate),
            machine_of(config.machine), despite, config.synthesis.despite_validation,
        )  # fmt: skip

    default = run({})
    for path, key in keys_of(AdaptConfig).items():
        if path in {"gate.policy", "task"} or path.startswith("cost."):  # a task excludes other keys
            continue
        value = {
            "gate.measure": "RR@10", "teaching.weights": [2.0], "teaching.map": "unit",
        }.get(path, another(key))  # fmt: skip
        more = NEEDS.get(path, {})
        assert run({path: value, **more}) != (run(more) if more else default), path


def test_the_policy_of_the_file_is_changed_by_the_keys_that_are_set(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text("depth = 7\nmargin = 2.0\n[looks]\nrelease = '1'\n", "utf-8")
    assert policy_of(Gate(policy=file)) == read_policy(file)
    found = policy_of(Gate(policy=file, release="2", depth=9, languages=("sw",)))
    assert (found.looks.release, found.depth, found.languages, found.margin) == ("2", 9, ("sw",), 0.02)


@pytest.mark.parametrize(
    ("wrong", "answer"),
    [
        ({"teaching.teachers": []}, "^teaching.teachers is not set; use --teacher, or the configuration"),
        ({"base": None, "corpora": []}, "^base and corpora are not set; use --base and --corpus"),
        ({"corpora": ["c", "c"]}, "corpora: c occurs twice"),
        ({"mining.retrievers": ["bm25"]}, "mining.retrievers: name at least two"),
        ({"teaching.weights": [1.0, 2.0]}, "one weight above 0"),
        ({"synthesis.documents": 0}, "file: synthesis.documents: 0 is not allowed"),
        ({"synthesis.floor": 2.0}, "file: synthesis.floor: 2.0 is not allowed"),
        ({"synthesis.leak_threshold": 0.0}, "file: synthesis.leak_threshold: 0.0 is not allowed"),
        ({"mining.depth": 0}, "file: mining.depth: 0 is not allowed"),
        ({"teaching.map": "log"}, "file: teaching.map: 'log' is not allowed"),
        ({"training.seeds": 0}, "file: training.seeds: 0 is not allowed"),
        ({"merge.bags": [0.0, 1.0]}, r"file: merge.bags\[0\]: 0.0 is not allowed"),
        ({"merge.bags": [0.8]}, "one checkpoint cannot be merged"),
        ({"merge.bags": [1.0, 1.0]}, "names 1 twice"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(wrong: dict[str, Any], answer: str) -> None:
    with pytest.raises(UsageError, match=answer) as refused:
        settings({**NEEDED, **wrong})
    assert "\n" not in str(refused.value)


def test_the_example_of_the_documentation_can_be_used_as_it_is() -> None:
    text = (Path(__file__).parents[3] / "docs" / "adapting.md").read_text("utf-8")
    example = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
    config = configured(AdaptConfig, [Layer("docs/adapting.md", example)]).config
    assert wishes_of(config).describe()
    assert places_of(config.evaluation).final_split == "test" and config.gate.policy is not None


@pytest.mark.parametrize("page", ["README.md", "docs/adapting.md", "docs/utility.md"])
def test_no_page_names_an_option_that_is_a_key_now(page: str) -> None:
    text = (Path(__file__).parents[3] / page).read_text("utf-8")
    commands = re.findall(r"harness train (?:adapt|utility)(?:[^\n\\]|\\\n)*", text)
    named = set(re.findall(r"--[\w-]+", " ".join(commands)))
    assert commands and not named & {f"--{name}" for name in (*FORMER, "gate")}


TASKS = """
base = "./student"

[teaching]
teachers = ["./t", "./u"]
weights = [2, 1]

[[task]]
corpus = "./laws"
profile = "claim-en"
documents = 40
teacher = "./law"
weight = 2

[[task]]
corpus = "./laws"
profile = "./own.toml"

[[task]]
corpus = "./news"
"""


def test_tasks_are_named_one_by_one_with_profile_documents_teacher_and_weight() -> None:
    found = settings_of(TASKS)
    assert [(one.name, one.profile, one.documents, one.teacher, one.weight) for one in tasks_of(found)] == [
        ("laws-claim-en", "claim-en", 40, "./law", 2.0), ("laws-own", "./own.toml", None, None, 1.0),
        ("news", None, None, None, 1.0),
    ]  # fmt: skip
    assert found.all_teachers == ("./t", "./u", "./law")
    assert weights_of(found)["single-laws-claim-en-s0"] == 2 * weights_of(found)["single-news-s0"]
    assert digest(found.describe()) != digest(settings_of(TASKS.replace("weight = 2", "weight = 3")).describe())


def settings_of(text: str) -> AdaptationSettings:
    return wishes_of(configured(AdaptConfig, [Layer("file", tomllib.loads(text))]).config)


def test_the_printed_configuration_has_the_tasks_as_they_were_written() -> None:
    config = configured(AdaptConfig, [Layer("file", tomllib.loads(TASKS))]).config
    printed = toml_of(config)
    assert printed.count("[[task]]\n") == 3 and "weight = 2.0" in printed
    assert configured(AdaptConfig, [Layer("printed", tomllib.loads(printed))]).config == config


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ("", 'corpora = ["./x"]\n', "leave out corpora"),
        ("[teaching]", "[synthesis]\nprofiles = ['claim-en']\n[teaching]", r"leave out synthesis\.profiles"),
        ("weight = 2", "weight = 0", r"task\[0\].weight: 0 is not allowed"),
        ("weight = 2", "wieght = 2", r"task\[0\]"), ('corpus = "./news"', "documents = 3", r"task\[2\].*corpus"),
        ('profile = "./own.toml"', 'profile = "claim-en"\ndocuments = 40\nteacher = "./law"\nweight = 2', "are equal"),
    ],
)  # fmt: skip
def test_tasks_and_the_cross_product_are_not_mixed(before: str, after: str, answer: str) -> None:
    with pytest.raises(UsageError, match=answer) as refused:
        settings_of(after + TASKS if not before else TASKS.replace(before, after))
    assert "\n" not in str(refused.value)


def test_an_option_that_names_a_corpus_is_not_mixed_with_tasks_of_the_file() -> None:
    layers = [Layer("adapt.toml", tomllib.loads(TASKS)), Layer("the command line", {"corpora": ["./x"]})]
    with pytest.raises(UsageError, match="leave out corpora"):
        configured(AdaptConfig, layers)


def test_tasks_with_their_own_teachers_need_no_other() -> None:
    alone = '[[task]]\ncorpus = "./a"\nteacher = "./t"\n[[task]]\ncorpus = "./b"\nteacher = "./u"\n'
    assert settings_of(f'base = "./student"\n{alone}').all_teachers == ("./t", "./u")
    with pytest.raises(UsageError, match=r"every .* names its teacher; leave out teaching.teachers"):
        settings_of(f'base = "./student"\n[teaching]\nteachers = ["./v"]\n{alone}')
    with pytest.raises(UsageError, match=r"teaching\.teachers is not set"):
        settings_of('base = "./student"\n[[task]]\ncorpus = "./a"\n')


QUESTIONS = """
base = "./student"

[teaching]
teachers = ["./t"]
score_as = "xquad/en"

[[task]]
corpus = "xquad/de"
queries = "xquad/de"
queries_split = "test"
sample_queries = 500

[[task]]
corpus = "xquad/zh"
queries = "./asked.jsonl"
score_as = "./english"

[[task]]
corpus = "./news"
"""


def test_a_task_can_ask_real_questions_that_are_scored_as_parallel_ones() -> None:
    found = tasks_of(settings_of(QUESTIONS))
    asked = [one.questions and (str(one.questions), one.questions.sample) for one in found]
    assert asked == [("xquad/de (test)", 500), ("./asked.jsonl", None), None]
    assert [one.score_as for one in found] == ["xquad/en", "./english", None]


@pytest.mark.parametrize(
    ("before", "after", "answer"),
    [
        ("sample_queries = 500", "documents = 40", "a task with queries writes none; leave out documents"),
        ('corpus = "./news"', 'corpus = "./news"\nscore_as = "xquad/en"', "score_as is only for a task with queries"),
        ('queries = "./asked.jsonl"\n', "", "score_as is only for a task with queries"),
    ],
)
def test_written_and_real_questions_are_not_mixed(before: str, after: str, answer: str) -> None:
    with pytest.raises(UsageError, match=answer) as refused:
        settings_of(QUESTIONS.replace(before, after))
    assert "\n" not in str(refused.value)


def test_parallel_labels_need_questions_with_ids() -> None:
    with pytest.raises(UsageError, match=r"teaching\.score_as needs a \[\[task\]\] with queries"):
        tasks_of(settings_of('base = "b"\ncorpora = ["c"]\n[teaching]\nteachers = ["t"]\nscore_as = "xquad/en"\n'))


def test_a_run_of_an_earlier_version_keeps_its_identity() -> None:
    described = settings_of(TASKS).describe()
    assert "score_as" not in described
    tasks: Any = described["tasks"]
    assert [set(one) for one in tasks] == [{"corpus", "profile", "documents", "teacher", "weight"}] * 3


def test_sources_of_general_data_are_printed_and_read_again(tmp_path: Path) -> None:
    text = 'temperature = 2\n[[general.source]]\ndata = "a"\nlimit = 5\n[[general.source]]\ndata = "b"\n'
    (tmp_path / "adapt.toml").write_text(f"[general]\n{text}", "utf-8")
    first = configured(AdaptConfig, [file_layer(tmp_path / "adapt.toml")]).config
    assert [(one.data, one.limit) for one in first.general.source] == [("a", 5), ("b", None)]
    (tmp_path / "printed.toml").write_text(toml_of(first), "utf-8")
    assert configured(AdaptConfig, [file_layer(tmp_path / "printed.toml")]).config == first


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[general]\ndata = ["a"]\n[[general.source]]\ndata = "b"', "leave out general.data"),
        ('[[general.source]]\ndata = "a"\nweight = 1\n[[general.source]]\ndata = "b"', "give all sources one, or none"),
        ('[general]\ntemperature = 2\n[[general.source]]\ndata = "b"\nweight = 1', "give only one"),
        ('[[general.source]]\ndata = "a"\nwait = 1', "general.source.*wait.*weight"),
        ("[training]\npatience = 2", "set training.evaluate_every"),
        ("[teaching]\nchoose = true\npairwise = 2", "leave out teaching.pairwise"),
    ],
)
def test_sources_and_evaluations_that_contradict_each_other_are_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "adapt.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=says):
        configured(AdaptConfig, [file_layer(tmp_path / "adapt.toml")])
