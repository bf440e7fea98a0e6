"""A suite is the collections that its name promises: with a wrong revision, split, measure or average a user would
compare numbers of different things. Sizes and md5 sums are held against the sources where those are at hand."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from adapters.errors import DataError, UsageError
from harness.data.suites.table import MEASURES, read_suite
from harness.data.suites.targets import PAIRED_MEASURE, SuiteCollection, find, is_suite_target, suites
from harness.measuring import measures
from tests.skips import DATA

ROOT = Path(__file__).parents[4]
FACTS = ROOT.parent / "shared" / "facts"
SIX = "mteb-multilingual-v2-reranking"
LANGUAGES = ["ar", "bn", "de", "en", "es", "fa", "fi", "fr", "hi", "id", "ja", "ko", "ru", "sw", "te", "th", "yo", "zh"]
EVERY = [one for suite in suites().values() for one in suite.collections]
MTEB_MEASURES = {"ndcg_at_10": "nDCG@10", "map_at_1000": "AP@1000", "mrr_at_10": "RR@10", "p-MRR": PAIRED_MEASURE}

TABLE = """
name = "small"
title = "Small"
note = "One collection in a group."
average = "macro"

[shared]
language = "en"
main_measure = "nDCG@10"
drop_identical_ids = false
mteb = { path = "mteb/one", split = "test" }

[groups.pair]
licence = "mit"

[[collection]]
name = "pair-one"
group = "pair"
mteb = { task = "One", revision = "0123456789012345678901234567890123456789" }
counts = { queries = 1, documents = 2, relevant = 1 }
average_characters = { document = 9, query = 3 }
"""


def names(suite: str) -> list[str]:
    return [one.name for one in suites()[suite].collections]


def pairs(part: tuple[SuiteCollection, ...]) -> int:
    return sum(one.candidates or 0 for one in part)


@cache
def facts() -> dict[tuple[str, str, str], dict[str, str]]:
    """mteb's metadata of every task, split and subset; skips where it is not at hand."""
    file = FACTS / "task_sizes.csv"
    if not file.exists():
        pytest.skip(f"{DATA}: {file}; the sizes were compared where the tables were made")
    with file.open(encoding="utf-8", newline="") as rows:
        return {(row["task"], row["split"], row["subset"]): row for row in csv.DictReader(rows)}


def fact(one: SuiteCollection) -> dict[str, str]:
    return facts()[one.mteb.task, one.mteb.split, one.mteb.subset]


def test_beir_is_15_collections_of_which_one_is_the_12_forums() -> None:
    beir = suites()["beir"]
    assert len(beir.collections) == 26
    assert len(beir.parts) == 15
    assert len(beir.parts["cqadupstack"]) == 12
    assert {one.beir.folder for one in beir.parts["cqadupstack"] if one.beir} == {
        one.name.replace("-", "/") for one in beir.parts["cqadupstack"]
    }
    assert sum(one.counts.queries for one in beir.parts["cqadupstack"]) == 13_145


def test_beir_measures_msmarco_on_dev_and_the_rest_on_test() -> None:
    splits = {one.name: (one.mteb.split, one.beir and one.beir.split) for one in suites()["beir"].collections}
    assert splits.pop("msmarco") == ("dev", "dev")
    assert set(splits.values()) == {("test", "test")}


def test_touche_is_the_version_of_beir_and_not_the_first_or_third() -> None:
    (touche,) = find("beir/webis-touche2020")
    assert (touche.mteb.task, touche.irds) == ("Touche2020", "beir/webis-touche2020/v2")
    assert (touche.counts.queries, touche.counts.documents, touche.counts.relevant) == (49, 382_545, 932)
    assert touche.beir is not None
    assert touche.beir.md5 == "46f650ba5a527fc69e0a6521c5a23563"


def test_identical_ids_are_dropped_where_mteb_drops_them() -> None:
    assert {one.target for one in EVERY if one.drop_identical_ids} == {
        f"beir/{name}" for name in ("msmarco", "fiqa", "arguana", "quora", "fever")
    }


def test_nanobeir_is_13_collections_of_about_50_queries() -> None:
    nano = suites()["nanobeir"]
    assert len(nano.parts) == len(nano.collections) == 13
    assert {one.counts.queries for one in nano.collections} == {49, 50}
    assert set(names("nanobeir")) < set(names("beir"))


@pytest.mark.parametrize("suite", ["miracl", "miracl-hard-negatives", "miracl-reranking"])
def test_miracl_is_the_dev_split_of_18_languages(suite: str) -> None:
    assert names(suite) == LANGUAGES
    for one in suites()[suite].collections:
        assert one.name == one.language == one.mteb.subset
        assert one.mteb.split == "dev"


def test_the_hard_negatives_are_the_version_without_an_instruction() -> None:
    assert {(one.mteb.task, one.instruction) for one in find("miracl-hard-negatives")} == {
        ("MIRACLRetrievalHardNegatives", None)
    }
    assert all(one.instruction for one in find("miracl") + find("miracl-reranking"))


def test_the_reranking_suite_is_the_six_tasks_of_multilingual_v2() -> None:
    parts = suites()[SIX].parts
    assert {name: len(part) for name, part in parts.items()} == {
        "alloprof": 1,
        "rubq": 1,
        "t2": 1,
        "voyage-mmarco": 1,
        "wikipedia": 16,
        "weblinx": 6,
    }
    assert "MIRACLReranking" not in {one.mteb.task for one in find(SIX)}


def test_the_pairs_of_the_six_tasks_add_up() -> None:
    parts = dict(suites()[SIX].parts)
    assert pairs(parts.pop("weblinx")) == 5_572_485
    assert sum(map(pairs, parts.values())) == 429_283
    assert all(one.candidates for suite in (SIX, "miracl-reranking") for one in find(suite))


def test_instruction_reranking_is_three_collections_with_1000_candidates_a_query() -> None:
    suite = find("mteb-multilingual-v2-instruction-reranking")
    assert [one.name for one in suite] == ["core17", "news21", "robust04"]
    assert all(one.candidates == 1000 * one.counts.queries for one in suite)


def test_the_main_measures_are_the_official_ones_and_can_be_computed() -> None:
    assert {suite: {one.main_measure for one in find(suite)} for suite in suites()} == {
        "beir": {"nDCG@10"},
        "nanobeir": {"nDCG@10"},
        "miracl": {"nDCG@10"},
        "miracl-hard-negatives": {"nDCG@10"},
        "miracl-reranking": {"nDCG@10"},
        SIX: {"AP@1000", "RR@10"},
        "mteb-multilingual-v2-instruction-reranking": {PAIRED_MEASURE},
    }
    assert {one.group for one in find(SIX) if one.main_measure == "RR@10"} == {"weblinx"}
    for one in EVERY:
        if one.main_measure != PAIRED_MEASURE:
            assert str(measures.parse(one.main_measure)) == one.main_measure
    assert set(MEASURES) <= set(measures.DEFINITIONS)


def test_training_data_is_marked_where_a_model_declares_it() -> None:
    marked = {one.target if one.group is None else f"{one.suite}/{one.group}" for one in EVERY if one.training}
    in_beir = ("msmarco", "nq", "hotpotqa", "fever")
    miracl = {one.target for name in suites() if name.startswith("miracl") for one in find(name)}
    expected = {f"{suite}/{name}" for suite in ("beir", "nanobeir") for name in in_beir}
    assert marked == expected | miracl | {"beir/cqadupstack", f"{SIX}/t2"}
    assert not any(one.training is False for one in EVERY)


def test_every_name_is_used_once() -> None:
    assert len({one.target for one in EVERY}) == len(EVERY) == 122
    assert len({(one.mteb.task, one.mteb.split, one.mteb.subset) for one in EVERY}) == len(EVERY)
    zips = {(one.beir.zip, one.beir.folder) for one in EVERY if one.beir}
    assert len(zips) == 26


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.target)
def test_a_collection_is_what_mteb_says_of_it(one: SuiteCollection) -> None:
    row = fact(one)
    assert (one.mteb.path, one.mteb.revision) == (row["path"], row["revision"])
    assert one.main_measure == MTEB_MEASURES[row["main_score"]]
    assert str(one.drop_identical_ids) == row["ignore_identical_ids"]
    assert (one.licence or "not specified") == row["license"]
    prompt = json.loads(row["prompt"])
    assert one.instruction == (prompt["query"] if isinstance(prompt, dict) else prompt)
    assert str(one.counts.relevant) == row["n_rel"]
    lengths = (one.average_characters.document, one.average_characters.query)
    assert lengths == (round(float(row["avg_doc_chars"])), round(float(row["avg_q_chars"])))
    if one.mteb.task != "Touche2020":  # mteb has no counts of it
        assert (str(one.counts.queries), str(one.counts.documents)) == (row["num_queries"], row["num_docs"])
    given = float(row["avg_top_ranked"] or 0) * one.counts.queries
    assert (one.candidates or 0) == pytest.approx(given, abs=1e-4)


def test_the_tables_leave_no_split_or_language_of_their_tasks_out() -> None:
    tasks = {one.mteb.task for one in EVERY}
    declared = {key for key, row in facts().items() if row["task"] in tasks and row["in_eval_splits"] == "True"}
    assert {(one.mteb.task, one.mteb.split, one.mteb.subset) for one in EVERY} == declared


def test_the_md5_sums_are_those_of_the_zip_files() -> None:
    file = FACTS / "benchmarks.md"
    if not file.exists():
        pytest.skip(f"{DATA}: {file}; the sums were compared where the tables were made")
    text = file.read_text("utf-8")
    for one in find("beir"):
        assert one.beir is not None
        names = (f"{one.beir.zip} {one.beir.md5}", f"{one.beir.zip}/v2 {one.beir.md5}")
        assert any(name in text for name in names), one.target


@pytest.mark.parametrize(
    ("target", "first", "many"),
    [
        ("beir", "beir/msmarco", 26),
        ("beir/scifact", "beir/scifact", 1),
        ("beir/cqadupstack", "beir/cqadupstack-android", 12),
        ("beir/cqadupstack-tex", "beir/cqadupstack-tex", 1),
        ("miracl/sw", "miracl/sw", 1),
        (f"{SIX}/wikipedia", f"{SIX}/wikipedia-bg", 16),
        ("mteb/AlloprofReranking", f"{SIX}/alloprof", 1),
        ("mteb/WikipediaRerankingMultilingual", f"{SIX}/wikipedia-bg", 16),
        ("mteb/WikipediaRerankingMultilingual/de", f"{SIX}/wikipedia-de", 1),
        ("mteb/WebLINXCandidatesReranking/test_web", f"{SIX}/weblinx-test-web", 1),
        ("mteb/MIRACLReranking", "miracl-reranking/ar", 18),
        ("mteb/SciFact", "beir/scifact", 1),
    ],
)
def test_a_target_is_found_by_our_name_and_by_mtebs(target: str, first: str, many: int) -> None:
    assert is_suite_target(target)
    found = find(target)
    assert (found[0].target, len(found)) == (first, many)


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("bier", "Did you mean beir"),
        ("scifact", "Did you mean beir/scifact, nanobeir/scifact?"),
        ("T2Reranking", f"Did you mean {SIX}/t2?"),
        ("beir/scifakt", "Did you mean beir/scifact"),
        ("miracl/swa", "Did you mean miracl/sw"),
        ("mteb/AlloprofRerank", "Did you mean AlloprofReranking"),
        ("mteb/T2Reranking/test", "Available: default, dev"),
        ("mteb", "Available: AlloprofReranking"),
    ],
)
def test_a_wrong_target_is_answered_with_the_right_one(target: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(target)
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("target", ["demo", "demo/en", "./beir", "collections/beir", "mteb", "beirs"])
def test_a_folder_or_the_demo_is_no_suite(target: str) -> None:
    assert not is_suite_target(target)


def test_a_small_table_is_read_with_what_is_shared() -> None:
    (one,) = read_suite(TABLE, "small.toml").collections
    assert (one.target, one.licence, one.mteb.path, one.mteb.subset) == ("small/pair-one", "mit", "mteb/one", "default")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("counts = {", "count = {", "collection 'pair-one': count: unknown key. Did you mean counts"),
        ("queries = 1,", "querys = 1,", "collection 'pair-one': counts.querys: unknown key. Did you mean queries"),
        ('task = "One", ', "", "collection 'pair-one': mteb.task: is missing"),
        (
            'language = "en"\n',
            "",
            "collection 'pair-one': language: is missing; an ISO 639 code such as 'sw' is needed",
        ),
        ('name = "pair-one"\n', "", "collection 1: name: is missing"),
        (
            "nDCG@10",
            "ndcg_at_10",
            "collection 'pair-one': main_measure: 'ndcg_at_10' is not allowed; a measure such as",
        ),
        ("0123456789012345", "0123456789O12345", "collection 'pair-one': mteb.revision: '"),
        ("documents = 2,", "documents = true,", "counts.documents: true is not a whole number"),
        (
            "documents = 2,",
            "documents = 0,",
            "counts.documents: 0 is not allowed; a whole number of 1 or more is needed",
        ),
        ("drop_identical_ids = false", 'drop_identical_ids = "no"', "drop_identical_ids: 'no' is not true or false"),
        ("counts = { queries = 1, documents = 2, relevant = 1 }", "counts = 4", "counts: 4 is not a table"),
        ('title = "Small"\n', "", "small.toml: title: is missing"),
        ("[groups.pair]", "[groups.pears]", "[groups.pears] has no collection. Did you mean pair"),
        ('name = "pair-one"', 'name = "pair"', "the name 'pair' is used twice"),
        ("[[collection]]", "[collection]", "small.toml: collection: a table is not a list of tables"),
        ("[shared]", "[shared", "small.toml: not TOML"),
    ],
)
def test_a_typo_in_a_table_names_the_file_and_the_collection(old: str, new: str, message: str) -> None:
    assert old in TABLE
    with pytest.raises(DataError) as caught:
        read_suite(TABLE.replace(old, new), "small.toml")
    assert str(caught.value).startswith("small.toml: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("collection = [3]", "collection[0]: 3 is not a table"),
        ("collection = [{}]\ngroups = 3", "groups: 3 is not a table"),
        ("collection = [{}]\nshared = []", "shared: an empty list is not a table"),
        ("collection = [{group = ['x']}]", "collection 1: name: is missing"),
    ],
)
def test_what_is_no_table_is_refused(line: str, said: str) -> None:
    head = "name = 'small'\ntitle = 'Small'\nnote = 'n'\naverage = 'macro'\n"
    with pytest.raises(DataError) as caught:
        read_suite(head + line, "small.toml")
    assert str(caught.value).startswith(f"small.toml: {said}")


def test_a_name_that_is_used_twice_is_refused() -> None:
    collection = TABLE[TABLE.index("[[collection]]") :]
    with pytest.raises(DataError, match="the name 'pair-one' is used twice"):
        read_suite(TABLE + collection, "small.toml")


def test_a_suite_without_a_collection_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"small\.toml: collection: is missing; a list of tables under \[\[collection\]\] is needed"
    ):
        read_suite(TABLE[: TABLE.index("[groups.pair]")], "small.toml")


def test_names_are_found_without_numpy_or_arrow() -> None:
    code = (
        "import sys, harness.data.suites.targets; harness.data.suites.targets.find('beir/scifact'); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"numpy", "pyarrow"} & set(done.stdout.split())
