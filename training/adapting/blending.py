"""Choose the weights of the teachers of an adaptation on its dev queries. Every blend is a recorded look at dev."""

from __future__ import annotations

from harness.result.adaptation.vocabulary import teacher_arms
from training.adapting.arms import Arms
from training.adapting.settings import AdaptationSettings
from training.adapting.tasks import student_length
from training.teaching.choosing import WeightChoice, choose


def chosen_on_dev(arms: Arms, settings: AdaptationSettings) -> WeightChoice:
    """Measure the blends of the teachers on dev, with the candidates and the measure of the run. Each teacher was
    measured there before.

    Raises:
        HarnessError: see `training.teaching.choosing.choose`.
    """
    stage = arms.tiers.dev
    policy = stage.policy
    choice = choose(
        stage.collections, settings.teachers, student_length(settings), stage.session, stage=stage.first_stage,
        depth=policy.depth, measure=policy.measure,
    )  # fmt: skip
    first, *_ = teacher_arms(len(arms.teachers))
    for one in choice.tried:
        if one.teachers > 1:
            arms.journal.add_look(
                arms.deciding.blend_on_dev(arms.anchor, arms.dev[first], choice.named(one), one.values)
            )
    return choice
