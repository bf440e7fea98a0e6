"""The text of an adaptation's page: the question, the decision and its reasons, the claims, the data and the cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.result.adaptation.record import AdaptationRecord, CorpusFacts, TeacherFacts
from reports.document import Bullets, Heading, Image, Part, Text
from reports.plots.languages import language_label
from reports.training.accounts import UNSTATED, claims_table, cost_table, looks_table, tasks_table, timeline_table
from reports.training.standing import leader
from reports.training.tables import arms_table, gain_tables
from reports.training.told import duration, joined, made_of

_DECIDED = {
    "running": "Nothing is decided yet: the adaptation is running, or was stopped and can be resumed.",
    "refused": "Nothing was accepted: no arm was shown to be better. The base stays.",
    "inconclusive": "Nothing was accepted: there were too few queries to decide. The base stays.",
    "invalid": "Nothing was accepted: the measurements are not valid. The base stays.",
}


def story(
    record: AdaptationRecord, workspace: Path | None, images: Sequence[Image], missing: Sequence[str]
) -> Iterator[Part]:
    """The parts of the page, in order."""
    yield Heading(f"Adaptation: {record.name}", 1)
    yield Text(question(record))
    yield Heading("What was decided")
    yield from decision(record)
    yield Heading("What is claimed, and what is not")
    yield from claims(record)
    yield Heading("The arms")
    yield arms_table(record)
    yield from gain_tables(record, workspace)
    yield Heading("Pictures")
    for image in images:
        yield Heading(image.title, 3)
        yield image
    if missing:
        yield Bullets(tuple(missing))
    yield Heading("Data and licences")
    yield from data(record)
    yield Heading("What it cost")
    yield Text(f"{duration(record.seconds)} from the start to this record.")
    yield cost_table(record)
    yield Heading("Looks and timeline")
    yield looks_table(record) if record.looks else Text("No look was taken.")
    yield timeline_table(record)
    yield Text(
        f"Run {record.run}. record.json has the id of the evaluation behind every value; `harness show ID` prints its "
        "details."
    )


def headline(record: AdaptationRecord) -> str:
    """The decision in one sentence."""
    arm = record.arm(record.accepted) if record.accepted is not None else None
    if arm is None:
        return _DECIDED[record.state]
    made = made_of(record, arm)
    return f"Accepted: {arm.name} ({arm.kind}{f': {made}' if made else ''})."


def question(record: AdaptationRecord) -> str:
    """The question of the adaptation and its setup."""
    corpora = joined([_corpus(one) for one in record.corpora])
    return (
        f"Started on {record.started[:16].replace('T', ' ')}. The question: is there a checkpoint that ranks better "
        f"than {record.base_name} for {corpora or 'no corpus'}? The generator {record.generator} wrote the training "
        f"queries. {joined([one.spec for one in record.teachers]) or 'No teacher'} scored their candidates. The "
        f"measure is {record.measure} on the top {record.depth} of {record.first_stage}."
    )


def decision(record: AdaptationRecord) -> Iterator[Part]:
    """The decision and its reasons."""
    yield Text(headline(record))
    if record.accepted is None and record.state != "running" and (arm := leader(record)) is not None:
        yield Text(f"The best on dev was {arm}.")
    if record.reasons:
        yield Bullets(record.reasons)


def claims(record: AdaptationRecord) -> Iterator[Part]:
    """The claims that hold, then those that do not."""
    if not record.claims:
        yield Text("Nothing is claimed: no difference was tested on the final split.")
        return
    holding = tuple(f"{one.claim}: {one.told}" for one in record.claims if one.holds)
    failed = tuple(f"{one.claim}: {one.told}" for one in record.claims if not one.holds)
    yield Text("Claimed:" if holding else "Nothing is claimed.")
    if holding:
        yield Bullets(holding)
    if failed:
        yield Text("Not claimed:")
        yield Bullets(failed)
    yield claims_table(record)


def data(record: AdaptationRecord) -> Iterator[Part]:
    """The training data and the licences of the teachers."""
    if record.tasks:
        yield tasks_table(record)
    else:
        yield Text("No task has its data yet.")
    if record.teachers:
        yield Text("A checkpoint that learned from a teacher may be bound by the teacher's terms:")
        yield Bullets(tuple(map(_teacher, record.teachers)))


def _teacher(one: TeacherFacts) -> str:
    licence = f"licence {one.stated_licence or f'{UNSTATED}, so find it out before you share a checkpoint'}"
    if one.training_sets is None:
        trained = f"training sets {UNSTATED}"
    else:
        trained = f"trained on {joined(list(one.training_sets)) or 'nothing'}"
    return f"{one.spec}: {licence}; {trained}"


def _corpus(one: CorpusFacts) -> str:
    language = f", {language_label(one.language)}" if one.language else ""
    return f"{one.name} ({one.documents:,} documents{language})"
