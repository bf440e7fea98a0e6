"""Losses against values worked out by hand: what a user would lose is a student that learns something else."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch

from adapters.errors import DataError, HarnessError, UsageError
from training.examples import Example, Examples
from training.losses import LOSSES, check_targets
from training.settings import Loss


def value_and_gradient(
    loss: Loss, scores: Sequence[float], teacher: Sequence[float], sizes: Sequence[int] | None = None
) -> tuple[float, list[float]]:
    s = torch.tensor(scores, requires_grad=True)
    value = loss(s, torch.tensor(teacher), sizes or [len(scores)])
    value.backward()
    assert s.grad is not None
    return float(value.detach()), s.grad.tolist()


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_the_hinge_asks_for_the_teachers_own_gap() -> None:
    # pairs (0,1): 4 - 1 = 3; (0,2): 6 - 3 = 3; (1,2): 2 - 2 = 0
    value, gradient = value_and_gradient(Loss("hinge", scale=2), [3.0, 2.0, 0.0], [3.0, 1.0, 0.0])
    assert value == pytest.approx(2.0)
    assert gradient == pytest.approx([-2 / 3, 1 / 3, 1 / 3])


def test_the_hinge_does_not_punish_a_student_that_separates_more() -> None:
    assert value_and_gradient(Loss("hinge"), [9.0, 0.0], [1.0, 0.0]) == (0.0, [0.0, 0.0])
    assert value_and_gradient(Loss("margin-mse"), [9.0, 0.0], [1.0, 0.0])[0] == pytest.approx(64.0)


def test_margin_mse_takes_every_pair_of_a_list() -> None:
    value, gradient = value_and_gradient(Loss("margin-mse"), [2.0, 1.0, 0.0], [3.0, 1.0, 0.0])
    assert value == pytest.approx((1 + 1 + 0) / 3)
    assert gradient == pytest.approx([-4 / 3, 2 / 3, 2 / 3])


def test_pairs_closer_than_the_smallest_gap_are_left_out() -> None:
    loss = Loss("hinge", scale=2, smallest_gap=0.5)
    assert value_and_gradient(loss, [0.0, 0.0, 0.0], [1.0, 0.9, 0.0])[0] == pytest.approx((2.0 + 1.8) / 2)
    assert value_and_gradient(loss, [0.0, 0.0], [0.5, 0.0]) == (0.0, [0.0, 0.0])


def test_every_query_weighs_the_same_however_many_pairs_it_has() -> None:
    value, _ = value_and_gradient(Loss("hinge"), [0.0] * 5, [1.0, 0.0, 6.0, 0.0, 0.0], [2, 3])
    assert value == pytest.approx((1 + 6) / 2)


def test_kl_is_zero_where_both_distributions_are_the_same() -> None:
    value, gradient = value_and_gradient(Loss("kl"), [2.0, 1.0], [12.0, 11.0])
    assert value == pytest.approx(0, abs=1e-6)
    assert gradient == pytest.approx([0, 0], abs=1e-6)


def test_kl_by_hand_with_a_temperature() -> None:
    p, q = sigmoid(1.0), 0.5  # softmax([2, 0] / 2) and softmax([0, 0] / 2)
    value, gradient = value_and_gradient(Loss("kl", temperature=2), [0.0, 0.0], [2.0, 0.0])
    assert value == pytest.approx(4 * (p * math.log(p / q) + (1 - p) * math.log((1 - p) / q)))
    assert gradient == pytest.approx([2 * (q - p), 2 * (p - q)])


def test_infonce_is_the_cross_entropy_of_the_best_document_of_each_list() -> None:
    scores, teacher, sizes = [0.3, -0.2, 1.0, 0.4, 2.0], [0.1, 0.9, 5.0, 1.0, 4.0], [2, 3]
    value, gradient = value_and_gradient(Loss("infonce", temperature=0.5), scores, teacher, sizes)
    s = torch.tensor(scores, requires_grad=True)
    lists = zip((s[:2], s[2:]), (1, 0), strict=True)
    by_torch = [torch.nn.functional.cross_entropy(one[None] / 0.5, torch.tensor([best])) for one, best in lists]
    expected = torch.stack(by_torch).mean()
    assert value == pytest.approx(float(expected.detach()))
    expected.backward()
    assert s.grad is not None and gradient == pytest.approx(s.grad.tolist())


def test_infonce_does_not_set_equally_good_documents_against_each_other() -> None:
    value, gradient = value_and_gradient(Loss("infonce"), [0.0, 0.0, 0.0, 7.0], [1.0, 1.0, 0.0, 3.0], [3, 1])
    assert value == pytest.approx(math.log(2)), "each against the third; the list of one document does not count"
    assert gradient == pytest.approx([-0.25, -0.25, 0.5, 0.0])


def test_bce_takes_soft_targets() -> None:
    value, gradient = value_and_gradient(Loss("bce"), [2.0, 0.0], [0.25, 0.0])
    by_hand = -0.25 * math.log(sigmoid(2)) - 0.75 * math.log(sigmoid(-2)), math.log(2)
    assert value == pytest.approx(sum(by_hand) / 2)
    assert gradient == pytest.approx([(sigmoid(2) - 0.25) / 2, 0.25])


def test_targets_are_shifted_scaled_and_squashed_in_this_order() -> None:
    value, _ = value_and_gradient(Loss("mse", scale=2, shift=1, sigmoid=True), [0.0], [3.0])
    assert value == pytest.approx(sigmoid(4) ** 2)


def test_ranknet_is_the_natural_logarithm_over_ordered_pairs() -> None:
    value, gradient = value_and_gradient(Loss("ranknet"), [1.0, 0.0], [5.0, 2.0])
    assert value == pytest.approx(math.log(1 + math.exp(-1)))
    assert gradient == pytest.approx([-sigmoid(-1), sigmoid(-1)])


def test_listnet_is_the_cross_entropy_of_both_softmaxes() -> None:
    value, _ = value_and_gradient(Loss("listnet"), [0.0, 0.0], [1.0, 0.0])
    assert value == pytest.approx(math.log(2))


def test_adr_mse_gives_tied_labels_the_same_rank() -> None:
    value, gradient = value_and_gradient(Loss("adr-mse"), [1.0, 1.0], [4.0, 4.0])
    assert (value, gradient) == (pytest.approx(0), pytest.approx([0, 0]))


def test_adr_mse_by_hand() -> None:
    # approximate ranks 1 + sigmoid(+-1) against 1 and 2, discounted by 1/log2(rank + 1)
    first, second = 1 + sigmoid(-1), 1 + sigmoid(1)
    value, _ = value_and_gradient(Loss("adr-mse"), [1.0, 0.0], [1.0, 0.0])
    assert value == pytest.approx(((1 - first) ** 2 + (2 - second) ** 2 / math.log2(3)) / 2)


def test_lambda_weighs_a_pair_by_what_it_moves() -> None:
    # one relevant document on rank 2 of 2: gain 1, |1/D1 - 1/D2| for both schemes, mu = 10, in bits
    value, _ = value_and_gradient(Loss("lambda"), [0.0, 1.0], [1.0, 0.0])
    weight = (10 + 1) * abs(1 / math.log2(2) - 1 / math.log2(3))
    assert value == pytest.approx(weight * math.log2(1 + math.exp(1)), rel=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_float32_whatever_the_model_computes_in(name: str) -> None:
    value = Loss(name)(torch.zeros(3, dtype=torch.bfloat16), torch.tensor([1.0, 0.5, 0.0]), [3])
    assert value.dtype == torch.float32 and value.ndim == 0 and bool(value.isfinite())


@pytest.mark.parametrize("name", LOSSES)
def test_lists_of_different_lengths_do_not_disturb_each_other(name: str) -> None:
    scores, teacher = [0.3, -0.2, 1.0, 0.0, 0.5], [1.0, 0.0, 0.0, 0.5, 1.0]
    both = value_and_gradient(Loss(name), scores, teacher, [2, 3])[1]
    alone = value_and_gradient(Loss(name), scores[:2], teacher[:2])[1]
    assert (alone[0] < 0) == (both[0] < 0) and (alone[1] > 0) == (both[1] > 0)
    moved = value_and_gradient(Loss(name), [*scores[:2], 5.0, -3.0, 2.0], teacher, [2, 3])[1]
    assert moved[:2] == pytest.approx(both[:2], rel=1e-5)


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "lambda"])
def test_a_step_along_the_gradient_makes_the_loss_smaller(name: str) -> None:
    scores, teacher = [0.0, 0.4, 0.1, 0.3], [1.0, 0.0, 0.7, 0.2]
    before, gradient = value_and_gradient(Loss(name), scores, teacher)
    moved = [score - 0.01 * slope for score, slope in zip(scores, gradient, strict=True)]
    assert value_and_gradient(Loss(name), moved, teacher)[0] < before


def examples(*scores: float) -> Examples:
    texts = tuple(str(place) for place in range(len(scores)))
    return Examples((Example("query", texts, scores),))


@pytest.mark.parametrize(
    ("loss", "scores", "says"),
    [
        (
            Loss("bce"),
            (7.5, -3.0),
            "bce needs targets from 0 to 1, but they are -3 to 7.5; set scale, shift or sigmoid",
        ),
        (Loss("lambda"), (7.5, -3.0), "from 0 to 30"),
        (Loss("hinge", scale=1e308), (7.5, -3.0), "too large for float32; set scale, shift"),
        (Loss("hinge"), (1.0, 1.0), "no query has two different scores"),
    ],
)
def test_targets_that_a_loss_cannot_take_are_refused(loss: Loss, scores: tuple[float, ...], says: str) -> None:
    with pytest.raises(DataError, match=says):
        check_targets(loss, examples(*scores))


def test_targets_that_were_brought_into_range_are_taken() -> None:
    check_targets(Loss("bce", sigmoid=True), examples(7.5, -3.0))
    check_targets(Loss("lambda", shift=-3), examples(7.5, -3.0))
    check_targets(Loss("mse"), examples(1.0, 1.0))


def test_an_unknown_loss_is_answered_with_the_right_one() -> None:
    with pytest.raises(UsageError, match="Did you mean margin-mse"):
        Loss("marginmse")


@pytest.mark.parametrize("wrong", [{"scale": 0.0}, {"temperature": -1.0}, {"sigmoid": True, "smallest_gap": 0.1}])
def test_settings_without_a_meaning_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(HarnessError):
        Loss("hinge", **wrong)  # type: ignore[arg-type]
