"""Answers with citations for tests: a judge that is a table, one that counts facts, and generated answers."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from harness.citing.answers import Answer, CitedReference

_FACT = re.compile(r"fact\d+")


class Table:
    """A judge that looks pairs up. It refuses to be asked the same pair twice in a call.

    Args:
        values: by premise and claim; a pair that is not there has 0.
        grades: the values that it can give.
    """

    name, identity = "table", {"table": 1}

    def __init__(
        self, values: Mapping[tuple[str, str], float] | None = None, grades: tuple[float, ...] | None = (0.0, 1.0)
    ) -> None:
        self.values, self.grades = values or {}, grades
        self.calls: list[list[tuple[str, str]]] = []

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> npt.NDArray[np.float32]:
        pairs = list(zip(premises, claims, strict=True))
        assert len(set(pairs)) == len(pairs)
        self.calls.append(pairs)
        return np.array([self.value(*pair) for pair in pairs], np.float32)

    def value(self, premise: str, claim: str) -> float:
        return self.values.get((premise, claim), 0.0)


class Hashed(Table):
    """A judge whose values are arbitrary and depend on the texts only. It is not monotone: more documents may support
    less."""

    def __init__(self, grades: tuple[float, ...] = (0.0, 1.0), seed: int = 0, zeros: int = 2) -> None:
        super().__init__(grades=grades)
        self.seed, self.wheel = seed, [0.0] * zeros + list(grades)

    def value(self, premise: str, claim: str) -> float:
        byte = hashlib.blake2b(f"{self.seed}\0{premise}\0{claim}".encode("utf-8", "replace")).digest()[0]
        return self.wheel[byte % len(self.wheel)]


class Facts(Table):
    """A judge that finds `fact1`, `fact2` and so on in texts: 1 if the premise has all facts of the claim and at most
    `longest` lines, 0.5 if it has some, else 0. A claim without facts is not supported."""

    def __init__(self, longest: int = 99) -> None:
        super().__init__(grades=(0.0, 0.5, 1.0))
        self.longest = longest

    def value(self, premise: str, claim: str) -> float:
        wanted, has = set(_FACT.findall(claim)), set(_FACT.findall(premise))
        if not wanted & has or premise.count("\n") >= self.longest:
            return 0.0
        return 1.0 if wanted <= has else 0.5


Made = Callable[[random.Random, int], Answer]


def messy(chance: random.Random, number: int) -> Answer:
    """An answer with marks of all kinds, right and wrong, and texts that look like marks."""
    n = chance.randint(0, 5)
    references = tuple(CitedReference(f"Text {k} of {number}", chance.choice(["", f"Title {k}"])) for k in range(n))
    parts = [_messy_sentence(chance, n, place) for place in range(chance.randint(0, 4))]
    return Answer(f"q{number}", "Why?", chance.choice([" ", "\n", " "]).join(parts), references)


def _messy_sentence(chance: random.Random, n: int, place: int) -> str:
    def number() -> int:
        return chance.randint(0, n + 1)

    marks = "".join(
        chance.choice(
            [
                f"[{number()}]",
                f"[{number()}, {number()}]",
                f"[1-{number()}]",
                f"【{number()}】",
                "[2019]",
                "[sic]",
                " x[10]",
            ]
        )
        for _ in range(chance.randint(0, 4))
    )
    return chance.choice(
        [
            f"Sentence {place} says {chance.random():.2f} {marks}.",
            f"Number {place} it is. {marks}",
            f"{marks} So it is {place}!",
        ]
    )


def factual(chance: random.Random, number: int) -> Answer:
    """An answer whose statements have one or two facts and mostly cite documents that have them. Read with `Facts`."""
    references = tuple(
        CitedReference(f"doc{k} " + " ".join(f"fact{f}" for f in chance.sample(range(9), 2))) for k in range(5)
    )
    parts = []
    for _ in range(chance.randint(1, 4)):
        facts = [f"fact{f}" for f in chance.sample(range(9), chance.randint(1, 2))]
        right = [k for k, one in enumerate(references, 1) if any(fact in one.text.split() for fact in facts)]
        cited = right if chance.random() < 0.7 else chance.sample(range(1, 6), chance.randint(0, 3))
        parts.append(f"It is {' '.join(facts)} indeed{''.join(f'[{k}]' for k in cited)}.")
    return Answer(f"q{number}", "Why?", " ".join(parts), references)


def generated(count: int, made: Made = messy, seed: int = 0) -> list[Answer]:
    """Some answers; the same for the same seed."""
    chance = random.Random(seed)
    return [made(chance, number) for number in range(count)]
