"""`harness train adapt`: adapt a checkpoint to a corpus without labels, or report that no better one was found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.judging.gate.policy import Policy
from harness.numbers import points
from harness.result.adaptation.reading import read_record
from harness.result.adaptation.record import AdaptationRecord, ArmRecord, TaskRow
from harness.result.adaptation.vocabulary import ANCHOR, FIRST_STAGE, Validity
from harness.scoring.session import Session
from training.adapting import ingredients, merges
from training.adapting.anchor import anchor_of
from training.adapting.arms import Arms
from training.adapting.blending import chosen_on_dev
from training.adapting.checkpoint import folder_of
from training.adapting.choice import best_first, no_worse
from training.adapting.closing import DESPITE, STAGE, Ended, keep_model, publish, remarks_of, write_manifest
from training.adapting.cost import cost_of
from training.adapting.deciding import Deciding, check_policy
from training.adapting.dense import embedder_of
from training.adapting.journal import Journal
from training.adapting.judging import Judging
from training.adapting.opening import about, first_record, judging_queries, known_at_start, known_of
from training.adapting.scoring import cut_spec, spec_of
from training.adapting.settings import AdaptationSettings, tasks_of
from training.adapting.targets import AdaptTargets, Tiers, tiers_of
from training.adapting.tasks import Asked, Prepared, ask, prepare, student_length, trained_on
from training.adapting.validated import validated
from training.configuration import GivenSetting, lines_of
from training.dev import Dev
from training.examples import Examples
from training.job import MANIFEST, begin, write_json
from training.mining.mine import RETRIEVERS
from training.settings import Machine
from training.validating.leak import VALIDATION

_CURVE = (0.25, 0.5, 0.75)


def adapt(  # noqa: PLR0917
    settings: AdaptationSettings, places: AdaptTargets, policy: Policy, out: Path, session: Session,
    machine: Machine | None = None, *, despite_teacher: bool = False, despite_validation: bool = False,
    given: Sequence[GivenSetting] = (),
) -> AdaptationRecord:  # fmt: skip
    """Adapt a base to corpora without labels, and let the gate decide whether the result is better.

    A killed run continues when it is called again with the same arguments, and gives the same record. `out/model`
    exists only if a checkpoint was accepted, and `out/manifest.json` only if the run is over.

    Args:
        policy: the policy of the gate. The anchor `best-accepted` means the base if nothing was accepted yet.
        despite_teacher: continue with a teacher that is not ahead of stage 1 on dev. Default: False.
        despite_validation: train on the queries of tasks that their validation blocks. Default: False.
        given: the keys that were set and their origins, for the plan and the record. They do not affect the result.

    Raises:
        UsageError: `out` is not this run, a target is unknown, or the queries of the tiers cannot be used (see
            `tiers_of`).
        HarnessError: a model, a corpus or a collection cannot be used; finished stages are kept.
        OSError: the disk is full; no model and no manifest are written.
    """
    tiers = tiers_of(places, policy, session)
    if not (out / MANIFEST).exists():
        check_policy(tiers, out)
        cost_of(settings, session.workspace)  # refuses an unusable corpus or profile before the folder is made
    ingredients.refuse_trained_base(settings.base, judging_queries(tiers))
    job = about(settings, tiers, despite_teacher=despite_teacher, despite_validation=despite_validation)
    if begin(out, STAGE, job) is not None:
        session.reporter.note(f"{out}: adapted already")
        return read_record(out)
    general = _general(settings, tiers, session)
    for line in (*lines_of(given), *tiers.notes, *cost_of(settings, session.workspace, general).lines()):
        session.reporter.note(line)
    journal = Journal.opened(first_record(settings, tiers, out, job, given), out, session.reporter)
    run = _Run(
        settings, tiers, out, session, machine or Machine(), general, journal, despite_teacher=despite_teacher,
        despite_validation=despite_validation,
    )  # fmt: skip
    run.through()
    publish(journal.record, session.workspace)
    write_manifest(journal.record, out, job)
    return journal.record


def _general(settings: AdaptationSettings, tiers: Tiers, session: Session) -> Examples | None:
    if not settings.mix.source:
        return None
    corpus, specs = tiers.dev.collections[0], (*(settings.retrievers or RETRIEVERS), tiers.gate.first_stage)
    embedder = embedder_of(specs, corpus, session)
    return ingredients.general_of(settings, session.workspace, known_of(tiers), embedder)


@dataclass
class _Run:
    """Runs the stages of an adaptation."""

    settings: AdaptationSettings
    tiers: Tiers
    out: Path
    session: Session
    machine: Machine
    general: Examples | None
    journal: Journal
    despite_teacher: bool
    despite_validation: bool

    def __post_init__(self) -> None:
        settings = self.settings
        base = str(folder_of(self.out, "base")) if settings.new_head else settings.base
        anchor = anchor_of(self.tiers, self.tiers.gate.policy, spec_of(base), self.out)
        teachers = [cut_spec(spec, student_length(settings)) for spec in settings.all_teachers]
        every = settings.evaluate_every
        self.dev = None if every is None else Dev(self.tiers.dev, every, settings.patience)
        self.arms = Arms(self.tiers, self.journal, Deciding(self.tiers, anchor, self.out), teachers)

    def through(self) -> None:
        """Run all stages in order, and record the end."""
        try:
            accepted = Judging(self.arms).judged(self._made())
        except Ended as end:
            self.journal.change(state=end.state, reasons=(*end.reasons, *self._remarks(None)))
            return
        keep_model(accepted.checkpoint, self.out)
        self.arms.deciding.accept([accepted.gate, accepted.final])
        name = accepted.checkpoint.name
        self.journal.change(state="accepted", accepted=name, reasons=(accepted.reason, *self._remarks(name)))

    def _remarks(self, accepted: str | None) -> list[str]:
        note, left_out = self.arms.deciding.anchor.note, self.tiers.notes
        general = self.general is not None
        bags = sum(self.settings.bags)
        return remarks_of(
            self.journal.record, accepted=accepted, general=general, anchor=note, left_out=left_out, bags=bags
        )

    def _made(self) -> list[ArmRecord]:
        """Make all arms that can be proposed, and measure them on dev."""
        stage1 = self._started()
        self._check_teachers(stage1, [*self._teachers(), self._chosen()])
        prepared = self._prepared()
        more = (self.settings, self.out, self.session.reporter, self.machine, self.general, self.journal.watch)
        known = judging_queries(self.tiers)
        singles = self.arms.add(ingredients.singles(stage1, prepared, *more, known=known, dev=self.dev))
        union = self.arms.add([ingredients.union(stage1, prepared, *more, dev=self.dev)])
        bags = self.arms.add(ingredients.bags(stage1, prepared, *more, dev=self.dev))
        return [*singles, *union, *bags, *self._merged(stage1, singles), *self._bagged([*union, *bags])]

    def _started(self) -> ArmRecord:
        """Make stage 1. Base and anchor are measured before it.

        Raises:
            Ended: the base or stage 1 is broken.
        """
        reporter, watch = self.session.reporter, self.journal.watch
        started = ingredients.start(self.settings, self.out, reporter, self.machine, self.general, watch, dev=self.dev)
        base, stage1 = (self._sound(one) for one in started)
        anchor = self.arms.deciding.anchor
        if anchor.dev != spec_of(base.path):
            self.arms.refer(ANCHOR, anchor.dev)
        return stage1

    def _sound(self, one: ArmRecord) -> ArmRecord:
        (measured,) = self.arms.add([one])
        if measured.refused:
            raise Ended("invalid", [f"{one.name} cannot be adapted: {measured.refused[0]}"])
        return measured

    def _teachers(self) -> list[float]:
        """Measure first stage and teachers on dev; the values of the teachers."""
        values = {name: self.arms.refer(name, spec).value for name, spec in self.arms.references.items()}
        return [value for name, value in values.items() if name != FIRST_STAGE]

    def _chosen(self) -> float:
        """Choose the weights of the teachers on dev, and keep the table in `teachers.json`; the value of the choice."""
        if not self.settings.choose:
            return 0.0
        with self.journal.step("teacher", "weights") as step:
            choice = chosen_on_dev(self.arms, self.settings)
            write_json(self.out / "teachers.json", choice.as_dict())
            step.detail = str(choice)
        names, weights = choice.kept
        self.settings = replace(self.settings, teachers=names, weights=weights)
        return choice.chosen.value

    def _check_teachers(self, stage1: ArmRecord, values: Sequence[float]) -> None:
        """V11: the teacher must be better than its student.

        Args:
            values: the values on dev of each teacher, and of the chosen blend.

        Raises:
            Ended: no teacher is ahead of stage 1 on dev, and `despite_teacher` is not set.
        """
        teacher = max(values)
        student = self.arms.values[stage1.name]
        figures = f"teacher {points(teacher, 1)}, stage 1 {points(student, 1)}"
        with self.journal.step("teacher", "dev") as step:
            step.state, step.detail = "pass" if teacher > student else "refused", figures
        if teacher <= student and not self.despite_teacher:
            way = "take a better teacher, or set teaching.despite_teacher = true"
            raise Ended("refused", [f"the teacher is not ahead of its student on dev ({figures}); {way}"])

    def _prepared(self) -> list[Prepared]:
        """The tasks with their examples. Nothing is mined and scored for those that their validation blocks.

        Raises:
            Ended: no task is left.
        """
        trained = trained_on(tasks_of(self.settings), self.session.workspace)
        known, watch = known_at_start(self.tiers, self.out, self.session, trained), self.journal.watch
        found, rows = list[Asked](), list[TaskRow]()
        for task in tasks_of(self.settings):
            folder = self.out / "tasks" / task.name
            folder.mkdir(parents=True, exist_ok=True)
            stages = [self.tiers.gate.first_stage]
            one = ask(task, self.settings, folder, self.session, known, watch, first_stages=stages)
            decision = validated(one, self.settings, self.tiers.dev.collections, folder, self.session, watch)
            left_out = decision["state"] == "blocked" and not self.despite_validation
            made = one if left_out else prepare(one, self.settings, folder, self.session, watch)
            found.append(made)
            rows.append(_row(made, folder, decision["state"], left_out))
        corpora = {one.corpus.fingerprint: one.corpus for one in found}
        self.journal.change(corpora=tuple(corpora.values()), tasks=tuple(rows))
        if all(row.left_out for row in rows):
            raise Ended("refused", [f"no queries are left to train on; {DESPITE}"])
        return [one for one in found if isinstance(one, Prepared)]

    def _merged(self, stage1: ArmRecord, singles: Sequence[ArmRecord]) -> list[ArmRecord]:
        """Linear soup, chain of slerps, greedy soup and curve of the measured singles, best first. If dev found some
        singles worse than stage 1, there is a second soup and chain of the others, because one bad ingredient would
        spoil the controls. They are measured on dev like all arms, so the choice is recorded as looks at dev.
        """
        parts = best_first(singles, self.arms.values)
        if not parts:
            return []
        made = [self._merge("linear", lambda: merges.linear(parts, self.out, weights=self._weights))]
        made += [self._merge("slerp", lambda: merges.sequential(parts, self.out, weights=self._weights))]
        made += [*self._of_sound(parts, no_worse(parts, self.arms.values, stage1.name)), self._greedy(parts)]
        return [*made, *(self._on_curve(stage1, parts[0], t) for t in _CURVE)]

    def _of_sound(self, parts: Sequence[ArmRecord], sound: Sequence[ArmRecord]) -> list[ArmRecord]:
        if not sound or len(sound) == len(parts):
            return []
        soup, chain = f"linear-{merges.SOUND}", f"slerp-{merges.SOUND}"
        return [
            self._merge(soup, lambda: merges.linear(sound, self.out, soup, self._weights)),
            self._merge(chain, lambda: merges.sequential(sound, self.out, chain, self._weights)),
        ]

    def _bagged(self, parts: Sequence[ArmRecord]) -> list[ArmRecord]:
        """The merge of the bags; the union is one of them if a share is 1. Empty without bags."""
        kept = [one for one in parts if one.kind == "bag" or 1 in self.settings.bags]
        measured = best_first(kept, self.arms.values)
        return [self._merge("bagged", lambda: merges.bagged(measured, self.out))] if measured else []

    @property
    def _weights(self) -> dict[str, float]:
        """The weights of the singles in merges: those of their tasks."""
        return ingredients.weights_of(self.settings)

    def _merge(self, name: str, make: Callable[[], ArmRecord]) -> ArmRecord:
        with self.journal.step("merge", name) as step:
            made = make()
            step.detail = str(merges.facts(made) or f"is {made.parts[0]}")
        return self.arms.add([made])[0]

    def _greedy(self, parts: Sequence[ArmRecord]) -> ArmRecord:
        first = self.arms.values[parts[0].name]
        made, steps = merges.greedy(parts, self.arms.trial, self.out, first, self._weights)
        with self.journal.step("merge", made.name) as step:
            step.detail = "; ".join(map(str, steps)) or f"is {made.parts[0]}"
        return self.arms.add([made])[0]

    def _on_curve(self, stage1: ArmRecord, best: ArmRecord, t: float) -> ArmRecord:
        return self._merge(f"t-{t:g}", lambda: merges.slerp(stage1, best, t, self.out))


def _row(one: Asked, folder: Path, state: Validity, left_out: bool) -> TaskRow:
    counts = one.counts
    return TaskRow(
        one.task.name, one.corpus.name, one.profile, counts.queries, counts.removed_as_leak, counts.pairs,
        counts.examples, str(folder / VALIDATION), state, one.leaks_by, left_out,
    )  # fmt: skip
