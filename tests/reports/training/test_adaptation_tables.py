"""The tables say what the record says: which arm, on what, how sure; and what was refused, and why."""

from __future__ import annotations

from pathlib import Path

from reports.marks import BETTER, WORSE
from reports.table import Table, markdown
from reports.training.accounts import claims_table, cost_table, looks_table, tasks_table, timeline_table
from reports.training.standing import gains
from reports.training.tables import ACCEPTED, arms_table, gain_tables
from reports.training.told import duration
from tests.reports.training.kept import kept
from tests.reports.training.made import EIGHTEEN, made, record, taught
from tests.tiny_collection import Place


def rows(table: Table) -> dict[str, list[str]]:
    return {row[0].text: [cell.text for cell in row[1:]] for row in table.rows}


def test_arms_stand_in_the_order_of_the_questions(tmp_path: Path) -> None:
    table = arms_table(record(tmp_path, made()))
    assert list(rows(table))[:4] == ["first stage", "teacher", "base", "stage-1"]
    assert list(rows(table))[6:-3] == ["given-broken", "union", "linear", "slerp", "greedy"]
    assert table.columns == ("arm", "made of", "dev", "source", "gate", "final")


def test_every_value_is_in_points_with_its_interval(tmp_path: Path) -> None:
    stored = made()
    table = arms_table(record(tmp_path, stored))
    (one,) = [
        s for s in stored["scores"] if (s["arm"], s["tier"], s["collection"]) == ("slerp", "final", "macro average")
    ]
    wanted = f"{100 * one['value']:.2f} [{100 * one['low']:.2f}, {100 * one['high']:.2f}]"
    assert rows(table)["slerp"][-1] == wanted
    assert rows(table)["union"][3] == "-", "what was not measured is a dash"


def test_a_stage_1_that_is_the_base_says_so(tmp_path: Path) -> None:
    stored = made()
    paths = {one["name"]: one for one in stored["arms"]}
    assert rows(arms_table(record(tmp_path, stored)))["stage-1"][0] == "800 general examples, 100 steps"
    paths["stage-1"]["path"] = paths["base"]["path"]
    assert rows(arms_table(record(tmp_path, stored)))["stage-1"][0].startswith("the base itself")


def test_a_refused_arm_has_its_reason_and_no_value(tmp_path: Path) -> None:
    found = rows(arms_table(record(tmp_path, made())))["given-broken"]
    assert found == ["refused: classifier.weight: its norm is 10.0 times that of the base", *["-"] * 4]


def test_the_accepted_arm_is_marked_and_the_best_arm_is_bold(tmp_path: Path) -> None:
    table = arms_table(record(tmp_path, made()))
    marked = [row[0].text for row in table.rows if ACCEPTED in row[0].marks]
    bold = [row[0].text for row in table.rows if row[2].strong]
    assert marked == ["slerp"] and bold == ["slerp"], "the teacher is higher, but it is no arm"
    assert dict(table.footnotes)[ACCEPTED] == "accepted"
    assert ACCEPTED not in markdown(arms_table(record(tmp_path, made() | {"accepted": None, "state": "refused"})))


def test_arms_that_print_alike_share_the_first_place(tmp_path: Path) -> None:
    stored = made()
    for one in stored["scores"]:
        if one["arm"] in ("union", "linear") and one["collection"] == "macro average":
            one["value"] = 0.99
    table = arms_table(record(tmp_path, stored))
    assert [row[0].text for row in table.rows if row[-1].strong] == ["union", "linear"]


def test_tiers_that_were_not_measured_are_told(tmp_path: Path) -> None:
    table = arms_table(record(tmp_path, made(source=False)))
    assert table.columns[2:] == ("dev", "gate", "final") and "not measured: source" in table.legend


def test_a_final_split_that_was_not_used_is_not_called_used(tmp_path: Path) -> None:
    """A reader would believe that the split is spent."""
    stored = made()
    assert any("the final split was used only once" in line for line in arms_table(record(tmp_path, stored)).legend)
    stored["scores"] = [one for one in stored["scores"] if one["tier"] != "final"]
    assert not any("used only once" in line for line in arms_table(record(tmp_path, stored)).legend)


def test_several_teachers_and_an_anchor_have_rows_of_their_own(tmp_path: Path) -> None:
    stored = made()
    stored["teachers"] = [*stored["teachers"], {**stored["teachers"][0], "spec": "org/other"}]
    for one in stored["looks"]:
        one["anchor"] = "./last-release"
    own = [one for one in stored["scores"] if one["arm"] == "teacher"]
    for one in own:
        one["arm"] = "teacher 1"
    stored["scores"] += [one | {"arm": name} for one in own for name in ("teacher 2", "anchor")]
    table = arms_table(record(tmp_path, stored))
    assert [(row[0].text, row[1].text) for row in table.rows][:4] == [
        ("first stage", "bm25, top 100"), ("teacher 1", "org/teacher"), ("teacher 2", "org/other"),
        ("anchor", "./last-release"),
    ]  # fmt: skip


def test_a_tier_with_measures_of_its_own_says_so(tmp_path: Path) -> None:
    stored = made()
    for one in stored["scores"]:
        one["measure"] = "RR@10" if one["tier"] == "source" else one["measure"]
    notes = [note for note in arms_table(record(tmp_path, stored)).legend if "measured by" in note]
    assert notes == ["source: msmarco, 240 queries, measured by RR@10"]


def test_gains_are_differences_to_the_base_by_language(tmp_path: Path) -> None:
    stored = made(("de", "sw"))
    table, source = gain_tables(record(tmp_path, stored))
    assert table.columns == ("arm", "macro average", "de", "sw") and source.columns == ("arm", "en")
    value = {(one["arm"], one["collection"]): one["value"] for one in stored["scores"] if one["tier"] == "final"}
    gained = 100 * (value["slerp", "miracl/sw"] - value["base", "miracl/sw"])
    assert rows(table)["slerp"][2] == f"{gained:+.2f}" and "base" not in rows(table)
    assert rows(table)["first stage"][0].startswith("-")


def test_gains_that_are_sure_are_marked_and_others_are_not(place: Place, tmp_path: Path) -> None:
    stored, _ = kept(place)
    (table,) = gain_tables(record(tmp_path, stored), place.workspace.path)
    found = gains(record(tmp_path, stored), "final", place.workspace.path)
    for row in table.rows:
        for cell, name in zip(row[1:], ("macro average", "de", "sw"), strict=True):
            one = found[row[0].text, name].difference
            low, high = (float(end) for end in cell.text.split("[")[1].rstrip("]").split(", "))
            assert one is not None and bool(cell.marks) == (one.adjusted_p <= 0.05)
            assert not cell.marks or cell.marks == ((BETTER,) if low > 0 else (WORSE,) if high < 0 else None)
    assert {mark for row in table.rows for cell in row[1:] for mark in cell.marks}, "some are sure"
    notes = "\n".join(table.legend)
    assert "randomisation test" in notes and "over questions" in notes
    assert "step-down MaxT: the average over 2 arms, a collection over the 2 of its arm" in notes
    (untested,) = gain_tables(record(tmp_path, stored))
    assert all(cell.marks == () and "[" not in cell.text for row in untested.rows for cell in row[1:])
    assert any("not tested" in note for note in untested.legend)


def test_a_language_with_two_collections_is_named_by_them(tmp_path: Path) -> None:
    stored = made(("de", "sw"))
    for one in stored["scores"]:
        one["language"] = None if one["collection"] == "macro average" else "de"
    assert gain_tables(record(tmp_path, stored))[0].columns[2:] == ("miracl/de", "miracl/sw")


def test_eighteen_languages_have_a_column_each(tmp_path: Path) -> None:
    assert gain_tables(record(tmp_path, made(EIGHTEEN)))[0].columns == ("arm", "macro average", *EIGHTEEN)


def test_a_claim_that_does_not_hold_says_no(tmp_path: Path) -> None:
    found = [[cell.text for cell in row] for row in claims_table(record(tmp_path, made())).rows]
    assert found[1] == ["merging", "slerp", "union", "+0.60", "[-0.80, +1.90]", "0.41", "0.82", "no"]
    assert [row[-1] for row in found] == ["yes", "no"]


def test_looks_tasks_and_timeline_have_a_row_for_each(tmp_path: Path) -> None:
    stored = made()
    read = record(tmp_path, stored)
    for table, key in ((looks_table(read), "looks"), (tasks_table(read), "tasks"), (timeline_table(read), "timeline")):
        assert len(table.rows) == len(stored[key])
    assert rows(tasks_table(read))["wiki-de"] == [
        "wiki-de", "generic/de", "org/teacher", "apache-2.0", "warned", "471", "9", "11,304", "471"
    ]  # fmt: skip


def test_a_task_that_was_never_validated_does_not_look_like_a_usable_one(tmp_path: Path) -> None:
    table = tasks_table(record(tmp_path, made()))
    at = table.columns.index("validation")
    assert [row[at].text for row in table.rows] == ["warned", "-"]
    assert "nothing was trained on a task that is left out" in " ".join(table.legend)


def test_a_teacher_without_a_licence_is_not_passed_over(tmp_path: Path) -> None:
    stored = taught(made(), {"spec": "other", "licence": None, "training_sets": []})
    assert rows(tasks_table(record(tmp_path, stored)))["wiki-sw"][3] == "apache-2.0 and not stated"


def test_the_cost_of_a_stage_is_the_sum_of_what_was_done_in_it(tmp_path: Path) -> None:
    found = rows(cost_table(record(tmp_path, made())))
    assert found["teach"][:2] == ["2", "3 min 12 s"] and found["gate"][:2] == ["1", "9.0 s"]
    assert found["merge"][:2] == ["2", "3.6 s"] and "dev" not in found


def test_durations_are_read_at_a_glance() -> None:
    assert [duration(one) for one in (0.42, 59.94, 60, 765.9, 11_100)] == [
        "0.4 s", "59.9 s", "1 min 00 s", "12 min 46 s", "3 h 05 min"
    ]  # fmt: skip


def test_claims_name_their_correction(tmp_path: Path) -> None:
    (note,) = (one for one in claims_table(record(tmp_path, made())).legend if one.startswith("adjusted p"))
    assert note == "adjusted p: corrected over these 2 claims (step-down MaxT)"
    stored = made()
    for one in stored["claims"]:
        one["p"] = one.pop("adjusted_p")
        del one["family"]
    table = claims_table(record(tmp_path, stored | {"version": 1}))
    assert "adjusted p: corrected over these 2 claims (Holm)" in table.legend
    assert [row[5].text for row in table.rows] == ["-", "-"], "nobody kept the p-values themselves"
