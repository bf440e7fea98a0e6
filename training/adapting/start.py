"""Run an adaptation from its configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.judging.gate.policy import Policy, read_policy
from harness.result.adaptation.record import AdaptationRecord
from harness.scoring.session import Session
from training.adapting.config import AdaptConfig, Gate
from training.adapting.loop import adapt
from training.adapting.settings import needed, wishes_of
from training.adapting.targets import places_of
from training.configuration import Configured, require
from training.settings import machine_of


def run(chosen: Configured[AdaptConfig], out: Path, session: Session) -> AdaptationRecord:
    """Run the adaptation of a configuration; see `training.adapting.loop.adapt`.

    Raises:
        UsageError: the configuration lacks a required key, or `adapt` refuses it.
        HarnessError: see `adapt`.
    """
    config = chosen.config
    require(config, {**needed(config), "evaluation.dev": "--dev", "gate.policy": "--policy"})
    settings, places, policy = wishes_of(config), places_of(config.evaluation), policy_of(config.gate)
    despite = config.teaching.despite_teacher
    return adapt(
        settings, places, policy, out, session, machine_of(config.machine), despite_teacher=despite,
        despite_validation=config.synthesis.despite_validation, given=chosen.settings,
    )  # fmt: skip


def policy_of(gate: Gate) -> Policy:
    """The policy of the gate with the values that the configuration overrides. `gate.policy` must be set.

    Raises:
        UsageError: the policy cannot be read, or an override is not valid.
    """
    policy = read_policy(Path(str(gate.policy))).overridden(
        anchor=gate.anchor, first_stage=gate.first_stage, depth=gate.depth, measure=gate.measure,
        languages=gate.languages,
    )  # fmt: skip
    return replace(policy, looks=replace(policy.looks, release=gate.release)) if gate.release else policy
