"""Judgments are kept: a user would pay twice for an answer, or get a value that no judge gave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.errors import ModelError
from adapters.judges.reranker import RerankerJudge
from adapters.protocols import Floats, Scored
from adapters.spec import open_judge
from harness.labelling.ledgered import judged, judgments, scores
from harness.scoring.ledger.store import Ledger
from tests.chat_server import chat_server, completion
from tests.fake_adapters import Plain
from tests.tiny_collection import Place

ROOT = Path(__file__).parents[3]
PREMISES, CLAIMS = ["a b", "c", "a b"], ["a", "c d", "a"]


class Fixed:
    """A judge that gives what it was made with."""

    name = "fixed"

    def __init__(self, *values: float, grades: tuple[float, ...] | None = None, mark: str = "") -> None:
        self.values, self.grades, self.mark, self.asked = values, grades, mark, 0

    @property
    def identity(self) -> dict[str, object]:
        return {"judge": "fixed", "values": [str(value) for value in self.values], "mark": self.mark}

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> Floats:
        self.asked += len(claims)
        return np.array(self.values[: len(claims)], np.float32)


class Streamed(Fixed):
    """A judge that fails after its first pair."""

    def stream(self, premises: Sequence[str], claims: Sequence[str]) -> Iterator[Scored]:
        for row in range(len(claims)):
            if row:
                raise ModelError("it broke")
            self.asked += 1
            yield Scored(
                np.array([row]), np.array([0.5], np.float32), np.array([9], np.int32), np.array([4], np.int32),
                np.zeros(1, np.uint64),
            )  # fmt: skip


def test_a_pair_is_judged_once(place: Place) -> None:
    judge = Fixed(0.25, 0.75)
    values = judged(judge, PREMISES, CLAIMS, place.workspace)
    assert judge.asked == 2, "equal pairs are one"
    assert values[0] == values[2]
    assert sorted(values.tolist()) == [0.25, 0.25, 0.75] or sorted(values.tolist()) == [0.25, 0.75, 0.75]
    again = Fixed(0.25, 0.75)
    assert judged(again, PREMISES[::-1], CLAIMS[::-1], place.workspace).tolist() == values[::-1].tolist()
    assert again.asked == 0
    other = Fixed(0.25, 0.75, mark="other")
    judged(other, PREMISES, CLAIMS, place.workspace)
    assert other.asked == 2, "another judge is asked"


def test_premise_and_claim_are_not_exchanged(place: Place) -> None:
    judge = open_judge("lexical")
    assert judged(judge, ["a b c d"], ["a b"], place.workspace).tolist() == [1.0]
    assert judged(judge, ["a b"], ["a b c d"], place.workspace).tolist() == [0.5]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.01, 1.01])
def test_a_value_outside_0_and_1_is_refused_with_its_pair(place: Place, value: float) -> None:
    with pytest.raises(ModelError, match=r"the judge fixed returned .* for the claim 'b' and the premise 'q'"):
        judged(Fixed(0.5, value), ["p", "q"], ["a", "b"], place.workspace)
    kept = Fixed(0.5, value)
    with pytest.raises(ModelError):
        judged(kept, ["p", "q"], ["a", "b"], place.workspace)
    assert kept.asked == 2, "nothing of the call was kept"


def test_a_value_that_is_no_grade_of_the_judge_is_refused(place: Place) -> None:
    with pytest.raises(ModelError, match=r"a value has to be one of 0, 0\.5, 1"):
        judged(Fixed(0.6, grades=(0.0, 0.5, 1.0)), ["p"], ["a"], place.workspace)


def test_a_wrong_number_of_values_is_refused(place: Place) -> None:
    with pytest.raises(ModelError, match=r"returned an array \[1\] for 2 pairs"):
        judged(Fixed(0.5), ["p", "q"], ["a", "b"], place.workspace)


def test_what_came_before_a_failure_is_kept_and_truncation_is_counted(place: Place) -> None:
    with pytest.raises(ModelError, match="it broke"):
        judged(Streamed(), ["p", "q"], ["a", "b"], place.workspace)
    again = Streamed()
    with Ledger(place.workspace.ledger) as ledger:
        found = judgments(again, ["p", "q"], ["a", "b"], ledger)
    assert again.asked == 1
    assert (found.fresh, found.counted, found.truncated) == (1, 2, 2)


def test_another_threshold_asks_the_reranker_nothing(place: Place) -> None:
    with Ledger(place.workspace.ledger) as ledger:
        raw = scores(RerankerJudge(Plain(), 0.0), PREMISES, CLAIMS, ledger)
        for threshold in raw.values.tolist():
            found = judgments(RerankerJudge(Plain(), threshold), PREMISES, CLAIMS, ledger)
            assert found.fresh == 0
            assert found.values.tolist() == (raw.values >= np.float32(threshold)).astype(float).tolist()


def test_no_pairs_are_no_work(place: Place) -> None:
    assert judged(open_judge("lexical"), [], [], place.workspace).tolist() == []


def test_a_killed_run_does_not_ask_the_server_twice(place: Place) -> None:
    """The process is killed while the server holds back the fourth answer."""
    asked: list[str] = []
    hold = threading.Event()

    def answer(body: dict[str, Any], _: object) -> tuple[int, bytes]:
        asked.append(body["messages"][0]["content"].partition("Claim:\n")[2].splitlines()[0])
        if len(asked) == 4 and not hold.is_set():
            hold.wait(60)
        return 200, completion("PARTIAL")

    with chat_server(answer) as url:
        code = (
            "import sys; from pathlib import Path; from adapters.spec import open_judge; "
            "from harness.labelling.ledgered import judged; from harness.workspace import Workspace; "
            f"judge = open_judge('chat:{url}?model=m&parallel=1'); "
            "claims = [f'claim {n}' for n in range(6)]; "
            "print(judged(judge, ['p'] * 6, claims, Workspace.open(Path(sys.argv[1]))).tolist())"
        )
        command = [sys.executable, "-c", code, str(place.workspace.path)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as running:
            while len(asked) < 4:
                assert running.poll() is None
                time.sleep(0.02)
            running.send_signal(signal.SIGKILL)
        hold.set()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([0.5] * 6)
    assert asked[:3] and not set(asked[:3]) & set(asked[4:]), "what was answered is not asked again"
    assert len(asked) == 7, "only the answer that never came is asked for again"
