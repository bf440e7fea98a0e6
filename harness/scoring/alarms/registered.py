"""The functions that look for alarms, each declared with the hazards that it finds.

To add an alarm, decorate a function with `alarm_of_scores` or `alarm_of_candidates`. Nothing else has to change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from harness.measuring.alarms.alarm import Alarm
from harness.measuring.alarms.catalogue import Hazard, register

if TYPE_CHECKING:
    from harness.scoring.alarms.scores import SystemScores
    from harness.scoring.ground import CandidatePool

Role = Literal["first stage", "control", "reranker"]
T = TypeVar("T")


@dataclass(frozen=True)
class Detector(Generic[T]):
    """A function that looks for alarms."""

    find: Callable[[T], Iterable[Alarm]]
    hazards: tuple[Hazard, ...]
    """The hazards that it finds."""
    roles: tuple[Role, ...] = ()
    """The systems whose scores it looks at."""

    def alarms(self, seen: T) -> Iterator[Alarm]:
        """Yield what the function finds.

        Raises:
            ValueError: an alarm has a name that was not declared.
        """
        names = {one.name for one in self.hazards}
        for alarm in self.find(seen):
            if alarm.name not in names:
                raise ValueError(f"{self.find.__qualname__} raises the alarm '{alarm.name}', which it does not declare")
            yield alarm


OF_SCORES: dict[str, Detector[SystemScores]] = {}
OF_CANDIDATES: dict[str, Detector[CandidatePool]] = {}
"""The detectors by the name of their first hazard, in the order of their alarms."""
_Find = Callable[[T], Iterable[Alarm]]


def alarm_of_scores(
    hazard: Hazard, *more: Hazard, roles: Sequence[Role] = ("reranker",)
) -> Callable[[_Find[SystemScores]], _Find[SystemScores]]:
    """Register a function that looks for an alarm in the scores of one system.

    The alarm is printed and stored with the number, and is on every page that shows it.

    Args:
        hazard: what the function finds. Its name is the name of the alarm.
        more: other hazards that it finds, such as `few-NAME` of `counted`.
        roles: the systems that it is called for. Default: rerankers.

    Raises:
        ValueError: a hazard with one of the names exists, or it is not made of lower-case words joined by '-'.
    """

    def registered(find: _Find[SystemScores]) -> _Find[SystemScores]:
        register(hazard, *more)
        OF_SCORES[hazard.name] = Detector(find, (hazard, *more), tuple(roles))
        return find

    return registered


def alarm_of_candidates(hazard: Hazard, *more: Hazard) -> Callable[[_Find[CandidatePool]], _Find[CandidatePool]]:
    """Register a function that looks for an alarm in the candidates and their judgments. All systems that rank these
    candidates have the alarm.

    Args:
        hazard: as for `alarm_of_scores`.
        more: as for `alarm_of_scores`.

    Raises:
        ValueError: as for `alarm_of_scores`.
    """

    def registered(find: _Find[CandidatePool]) -> _Find[CandidatePool]:
        register(hazard, *more)
        OF_CANDIDATES[hazard.name] = Detector(find, (hazard, *more))
        return find

    return registered
