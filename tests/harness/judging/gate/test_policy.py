"""The policy: what is written in gate.toml is what counts, and a typing error must not loosen the gate."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.errors import UsageError
from harness.judging.gate.policy import Local, Policy, read_policy

WHOLE = """
anchor = "BAAI/bge-reranker-v2-m3"
targets = "xquad"
first_stage = "bm25"
depth = 50
languages = ["th", "de"]
measure = "AP@100"
margin = 1.0
alpha = 0.1
power = 0.9
min_queries = 10
[local]
min_drop = 4
min_drop_small = 6.0
small = 100
hard_bound = 8
sd = 0.15
weak = "inconclusive"
[looks]
release = "2.1"
budget = 5
[splits]
dev = 0.1
gate = 0.8
final = 0.1
salt = "x"
[cost]
max_seconds_per_1000_pairs = 12
max_memory_mb = 900
[noise]
margin_factor = 3
[warn]
tail = 40
"""


def read(folder: Path, text: str) -> Policy:
    file = folder / "gate.toml"
    file.write_text(text, "utf-8")
    return read_policy(file)


def test_everything_that_is_declared_is_read_and_points_become_fractions(tmp_path: Path) -> None:
    policy = read(tmp_path, WHOLE)
    assert (policy.anchor, policy.targets, policy.languages) == ("BAAI/bge-reranker-v2-m3", ("xquad",), ("th", "de"))
    assert (policy.margin, policy.local.min_drop, policy.local.hard_bound) == (0.01, 0.04, 0.08)
    assert (policy.local.sd, policy.local.weak) == (0.15, "inconclusive")
    assert (policy.warn.tail, policy.splits.gate, policy.looks.budget) == (0.4, 0.8, 5)
    assert policy.cost.max_memory_mb == 900


def test_what_is_left_out_has_the_published_default(tmp_path: Path) -> None:
    policy = read(tmp_path, "")
    assert policy == Policy()
    assert (policy.margin, policy.alpha, policy.power) == (0.005, 0.05, 0.8)
    local = policy.local
    assert (local.min_drop, local.min_drop_small, local.small, local.hard_bound) == (0.02, 0.03, 200, 0.05)
    assert (local.sd, local.weak) == (0.2, "report")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("margn = 1", "margn: unknown key. Did you mean margin"),
        ("[locl]\nsmall = 3", "locl: unknown key. Did you mean local"),
        ("[local]\nmin_dorp = 3", "local.min_dorp: unknown key. Did you mean min_drop"),
        ("[local]\nsd = 20", "local.sd: 20 is not allowed; a number from 0.001 to 1 is needed"),
        ("[local]\nweak = 'ignore'", "local.weak: "),
        ("margin = 0", "margin: 0 is not allowed; a number from 0.001 to below 100 is needed"),
        ("margin = -0.5", "margin: -0.5 is not allowed"),
        ("margin = true", "margin: true is not a number"),
        ("margin = '1'", "margin: '1' is not a number"),
        ("margin = nan", "margin: NaN is not a number"),
        ("alpha = 0.9", "alpha: 0.9 is not allowed; a number from 1e-06 to 0.5 is needed"),
        ("power = 1", "power: 1 is not allowed; a number from 0.5 to 0.999 is needed"),
        ("depth = 1.5", "depth: 1.5 is not a whole number; a whole number of 1 or more is needed"),
        ("min_queries = 1", "min_queries: 1 is not allowed; a whole number of 2 or more is needed"),
        ("targets = [1]", "targets[0]: 1 is not a text"),
        ("targets = ['']", "targets[0]: '' is not allowed; a text that is not empty is needed"),
        ("anchor = ''", "anchor: '' is not allowed; a text that is not empty is needed"),
        ("measure = 'nDGC@10'", "measure: "),
        ("looks = 3", "looks: 3 is not a table"),
        ("[looks]\nbudget = 0", "looks.budget: 0 is not allowed; a whole number of 1 or more is needed"),
        ("[looks]\nbudget = 3", "looks: a budget belongs to a release"),
        ("[splits]\ngate = 0.9", "splits: dev + gate + final is 1.3; make it 1"),
        ("[cost]\nmax_memory_mb = 0", "cost.max_memory_mb: 0 is not allowed"),
        ("[noise]\nmargin_factor = 101", "noise.margin_factor: 101 is not allowed"),
        ("[warn]\ntail = 0", "warn.tail: 0 is not allowed"),
        ("margin = ", "not TOML in line 1 (margin =): Invalid value"),
    ],
)
def test_a_slip_is_one_line_that_names_the_file(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'gate.toml'}: {said}")
    assert "\n" not in str(error.value)


def test_a_policy_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        read_policy(tmp_path / "gate.toml")


def test_the_command_line_wins_where_it_says_something() -> None:
    policy = Policy(anchor="a", depth=50).overridden(anchor="b", depth=None, targets=[], measure="AP@5")
    assert (policy.anchor, policy.depth, policy.targets, policy.measure) == ("b", 50, (), "AP@5")


def test_the_command_line_is_checked_like_the_file() -> None:
    with pytest.raises(UsageError, match="the arguments: measure"):
        Policy().overridden(measure="nope")


def test_a_gate_look_spends_its_part_of_alpha_and_the_final_look_all_of_it(tmp_path: Path) -> None:
    policy = read(tmp_path, "[looks]\nrelease = '1'\nbudget = 5")
    assert policy.alpha_of("gate") == pytest.approx(0.01)
    assert policy.alpha_of("final") == 0.05
    assert Policy().alpha_of("gate") == 0.05


def test_another_margin_is_another_policy_but_another_target_is_the_same_statistics() -> None:
    assert Policy(margin=0.01).digest != Policy().digest
    assert Policy(targets=("a",)).digest == Policy().digest


def test_a_margin_of_all_points_is_refused_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text("margin = 100\n", "utf-8")
    with pytest.raises(UsageError, match=r"gate\.toml: margin: 100 is not allowed; a number from 0\.001 to below 100"):
        read_policy(file)


def test_looks_that_were_taken_before_parts_were_claimed_keep_their_ids() -> None:
    assert Policy().digest == "9fa59c772e03"
    assert Policy(local=Local(sd=0.1)).digest != Policy().digest != Policy(local=Local(weak="inconclusive")).digest
