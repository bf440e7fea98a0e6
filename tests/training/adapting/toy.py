"""A world so small that adaptation really works in seconds: relevant is what is of the topic and has the marker.

The first stage finds the texts of the topic, all equally good. A student has to learn the marker, which only the
teacher knows; words are whole tokens, so that a model of two thin layers can.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from adapters.protocols import Floats, Identity, IndexPairs, Prompt
from harness.judging.gate.policy import LookBudget, Policy, Splits
from harness.progress import Reporter, Silent
from harness.result.adaptation.record import AdaptationRecord
from harness.scoring.session import opened
from tests.fake_adapters import score_of
from tests.tiny_collection import FIRST, Place
from tests.training.loop import HASH
from training.adapting.loop import adapt
from training.adapting.settings import AdaptationSettings
from training.adapting.targets import AdaptTargets
from training.examples import Example, Examples
from training.fit import fit, job
from training.settings import Loss, Settings

SYLLABLES = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ra", "si", "tu")
WORDS = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
FILLER, TOPICS = WORDS[:40], WORDS[100:]
GOLD, SILVER, MUD = "gold", "silver", "mud"
HERE = "tests.training.adapting.toy"
TEACHER, SHUFFLED = f"{HERE}:Teacher", "tests.fake_adapters:Plain"
ASKS = f"{HERE}:Asks"
QUICK = Settings(loss=Loss("margin-mse", scale=4.0), epochs=1, max_steps=30, learning_rate=3e-3, queries=8)
GENERAL = replace(QUICK, loss=Loss("bce"), max_steps=None)
TEXTS = 6
"""Of a topic, each third one with the marker; also the depth of everything."""


def topic_of(number: int) -> str:
    """Two words that only this topic's texts have."""
    return f"{TOPICS[2 * number]} {TOPICS[2 * number + 1]}"


def texts(first: int, topics: int, markers: Sequence[str] = (GOLD,), seed: int = 0) -> dict[str, str]:
    """The texts of some topics; with several markers the first third has the first one, and so on."""
    drawn, found = random.Random(f"{first}-{topics}-{seed}"), {}
    for number in range(first, first + topics):
        kinds = [*(marker for marker in markers for _ in range(2)), *([""] * TEXTS)][:TEXTS]
        drawn.shuffle(kinds)
        for place, kind in enumerate(kinds):
            words = [*topic_of(number).split(), *drawn.sample(FILLER, 4), kind or drawn.choice(FILLER)]
            drawn.shuffle(words)
            found[f"t{number}-{place}"] = " ".join(words)
    return found


def target(place: Place, name: str = "target", topics: int = 80, markers: Sequence[str] = (GOLD,), **more: Any) -> Path:
    """A collection of its own topics; relevant is what has the first marker."""
    first = more.pop("first", 0)
    corpus = texts(first, topics, markers)
    queries = {f"q{number}": query_of(number) for number in range(first, first + topics)}
    found = [(f"q{name[1:].split('-')[0]}", name, 1) for name, text in corpus.items() if markers[0] in text.split()]
    return place.beir(name, corpus, queries, found, **more)


def query_of(number: int) -> str:
    """What is asked in the evaluation."""
    return f"seek {topic_of(number)}"


def bare(place: Place, name: str = "corpus", first: int = 200, topics: int = 40, **more: Any) -> Path:
    """A corpus without queries and judgments."""
    folder = place.path / name
    folder.mkdir()
    rows = (json.dumps({"_id": key, "text": text}) for key, text in texts(first, topics, **more).items())
    (folder / "corpus.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    return folder


def base(folder: Path, seed: int = 0) -> Path:
    """A cross-encoder of two thin layers whose tokens are whole words; it has learned nothing."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    pieces = [*special, "seek", "tell", "of", GOLD, SILVER, MUD, *WORDS]
    backend = Tokenizer(models.WordLevel({word: number for number, word in enumerate(pieces)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    config = transformers.BertConfig(
        vocab_size=len(pieces), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=64, initializer_range=0.3, num_labels=1, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.AutoModelForSequenceClassification.from_config(config)
    model.save_pretrained(folder)
    names = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]"}
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, model_max_length=32, **{f"{name}_token": token for name, token in names.items()}
    ).save_pretrained(folder)
    return folder


class Teacher:
    """Knows which words make a text relevant, and hardly anything else. Notes every pair that it is asked for."""

    def __init__(self, *, likes: str = "gold", hates: str = "none", log: str | None = None) -> None:
        self.identity: Identity = {"adapter": "marker", "likes": likes, "hates": hates}
        self._likes, self._hates, self._log = likes.split(","), hates.split(","), log

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        if self._log:
            with Path(self._log).open("a", encoding="utf-8") as file:
                file.writelines(f"{queries[q]} | {documents[d]}\n" for q, d in pairs)
        return np.array([self._value(queries[q], documents[d]) for q, d in pairs], np.float32)

    def _value(self, query: str, document: str) -> float:
        words = document.split()
        liked, hated = (sum(words.count(marker) for marker in some) for some in (self._likes, self._hates))
        return liked - hated + 0.01 * score_of(query, document)


class Asks:
    """Asks for the topic of a text, three times."""

    name = "asks"

    def __init__(self, *, leaks: int = 0, same: bool = False) -> None:
        self.identity: Identity = {"adapter": "asks", "leaks": leaks, "same": same}
        self._leaks, self._same = leaks, same

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[str]:
        for number, prompt in enumerate(prompts):
            topic = [word for word in prompt.document.split() if word in TOPICS]
            found = [" ".join([*topic, more]) for more in FILLER[number % 30 : number % 30 + 3]]
            if self._same:
                found = [f"{' '.join(FILLER[:8])} {one}" for one in found]
            if number < self._leaks:
                found[0] = query_of(number)
            yield json.dumps(found)


POLICY = Policy(
    first_stage=FIRST,
    depth=TEXTS,
    margin=0.02,
    looks=LookBudget("1", None),
    splits=Splits(0.25, 0.5, 0.25),
    min_queries=15,
)


def settings(place: Place, **more: Any) -> AdaptationSettings:
    """An honest adaptation to forty topics that no evaluation has."""
    given: dict[str, Any] = {
        "base": str(place.path / "base"), "teachers": (TEACHER,), "corpora": (str(place.path / "corpus"),),
        "generator": ASKS, "profiles": ("generic/en",), "documents": 80, "retrievers": (FIRST, HASH), "depth": TEXTS,
        "adaptation": QUICK, "stage1": GENERAL, "floor": 0.0,
    }  # fmt: skip
    if not (place.path / "base").exists() and "base" not in more:
        base(place.path / "base")
    if not (place.path / "corpus").exists() and "corpora" not in more:
        bare(place)
    return AdaptationSettings(**{**given, **more})


Honest = tuple[Place, AdaptationRecord]
"""A place, and the record of the adaptation that was made there."""


def run(
    place: Place, one: AdaptationSettings, on: Path, *, out: str = "out", reporter: Reporter | None = None, **more: Any
) -> AdaptationRecord:
    """Adapt, and judge on a collection."""
    policy, places = more.pop("policy", POLICY), more.pop("places", AdaptTargets(str(on)))
    with opened(place.workspace, reporter or Silent()) as session:
        return adapt(one, places, policy, place.path / out, session, **more)


def pretrained(place: Place, out: Path, likes: str, *, hates: str = "none", markers: Sequence[str] = ()) -> Path:
    """The base after it has learned that some markers are relevant."""
    if not (place.path / "base").exists():
        base(place.path / "base")
    teacher, rows = Teacher(likes=likes, hates=hates), list(texts(400, 30, markers or likes.split(",")).values())
    lists = [rows[at : at + TEXTS] for at in range(0, len(rows), TEXTS)]
    found = [
        Example(query_of(400 + at), tuple(some), tuple(teacher._value("", text) for text in some))
        for at, some in enumerate(lists)
    ]
    fit(job(str(place.path / "base"), Examples(tuple(found)), replace(QUICK, epochs=10)), out)
    return out


def logged(place: Place, **more: Any) -> AdaptationSettings:
    """The honest adaptation with bagging, and with a teacher that notes every pair in `log`."""
    return settings(place, **{"teachers": (f"{TEACHER}?log={place.path / 'log'}",), "bags": (0.5, 1.0), **more})
