"""What belongs to a generator or a model and to no query: refusals, openings of answers, labels and prefixes, numbers,
markup, instructions, references to "the document", damaged letters, and queries without any words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from training.synthesis.parser import REFUSAL
from training.validating.faults.fault import Fault, exceeds
from training.validating.faults.reading import Reading
from training.validating.faults.references import REFERENCE

LIMIT = 0.02
_NO_WORDS = "no words"
_NOTHING = re.compile(r"\A[\W_]*(nan|none|null|nil|n/?a|undefined)?[\W_]*\Z", re.IGNORECASE)
"""An empty text, only marks, or a word that programs write for a missing value."""
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("a refusal", REFUSAL.pattern),
        (
            "the opening of an answer",
            r"\A\W*(sure|certainly|of course|okay|here (is|are)|here's|let me|based on the"
            r"|natürlich|gerne|hier (ist|sind)"
            r"|claro|por supuesto|aquí (está|tienes?)|bien sûr|voici|конечно|вот)\b.{0,60}[:!,]"
            r"|\A\W*(好的|当然|當然|以下是|もちろん|はい、)",
        ),
        (
            "a label",
            r"\A\W*((search|user|generated|synthetic|input)[ _-]?)?(quer(y|ies)|questions?|q|answer|output|user"
            r"|assistant|passage|instruct(ion)?|search[ _-]document"
            r"|frage|fragen|antwort|suchanfrage|pregunta|respuesta|consulta|requête|pergunta|resposta|domanda|risposta"
            r"|вопрос|запрос|ответ|ερώτηση|întrebare|soru|sorgu|kysymys|câu hỏi|truy vấn|pertanyaan|swali"
            r"|سؤال|سوال|پرسش|प्रश्न|প্রশ্ন|ప్రశ్న|คำถาม|问题|問題|查询|答案|質問|질문)([ _-]?(text|\d+))?[\s\"'>*]*[:：]"
            r"|\A\W*represent (this|the) (query|question|sentence) for (searching|retriev)",
        ),
        ("a number", r"\A\s*(\d{1,2}[.)]|\(\d{1,2}\)|[-*•])\s+\S"),
        (
            "markup",
            r"\*\*|\A#{1,6} |```|<\|[^|]*\||\A\s*[\[{]\s*[\"“]|[\"”]\s*[\]}],?\s*\Z|\{\w*\}|\[[^\]]+\]\(https?:"
            r"|</?[a-z_|]{2,20}>|</?(a|b|i|u|p|h[1-6]|br|hr)(\s+[a-z-]+=[^<>]*)?\s*/?>|<[a-z]+\s+[a-z-]+=[^<>]*>"
            r"|&(#\d{1,6}|#x[\da-f]{1,6}|[a-z]{2,8}\d{0,2});"
            r"|\[(document|text|passage|insert|entity|name|topic|query|question)\b[^\]]*\]|\[/?INST\]",
        ),
        (
            "an instruction",
            r"\b(write|generate|create|formulate|produce|give me|list)\b.{0,40}\b(quer(y|ies)|questions?)\b"
            r"|\b(schreibe?|erstelle|formuliere|generiere)\b.{0,40}\b(suchanfragen?|fragen?)\b"
            r"|\b(escribe|genera|formula|redacta)\b.{0,40}\b(consultas?|preguntas?)\b"
            r"|(写|寫|生成|提出|列出).{0,12}(查询|查詢|问题|問題)|\b(напиши(те)?|составь(те)?)\b.{0,40}\b(вопрос|запрос)"
            r"|\b(answer|output|respond) (only|with exactly|in json)\b|\bnothing else\b",
        ),
        ("a reference to the document", REFERENCE.pattern),
        ("damaged letters", "\ufffd|Ã[\u0080-\u00bf¤§¶¼]|â€|Ð[\u0080-\u00bf]"),
    )
)


def artefacts(own: Reading, real: Reading | None) -> Fault:
    """Whether more than a few queries have something that a generator left in them."""
    found = _found(own)
    hits = [(name, text) for name, text in found if name is not None]
    counts = Counter(name for name, _ in hits)
    kinds = ", ".join(f"{name} {count / len(found):.0%}" for name, count in counts.most_common(3))
    line = f"artefacts of a generator: {kinds}, such as '{hits[0][1][:60] if hits else ''}'"
    usual = None if real is None else _counted(real)
    share = len(hits) / len(found) if found else None
    return Fault(
        "artefacts", share, exceeds(len(hits), len(found), LIMIT, usual), line,
        real=usual[0] / usual[1] if usual and usual[1] else None,
    )  # fmt: skip


def _counted(reading: Reading) -> tuple[int, int]:
    found = _found(reading)
    return sum(name is not None for name, _ in found), len(found)


def _found(reading: Reading) -> list[tuple[str | None, str]]:
    """The first artefact of each query, and its text. Queries without words count each time; other repetitions once."""
    blank = [text for text in reading.whole.texts if _is_nothing(text)]
    return [
        *((artefact(text), text) for text in reading.texts if not _is_nothing(text)),
        *((_NO_WORDS, text) for text in blank),
    ]


@lru_cache(maxsize=1 << 15)
def artefact(text: str) -> str | None:
    """The name of the first artefact in a query; None if there is none."""
    if _is_nothing(text):
        return _NO_WORDS
    composed = unicodedata.normalize("NFC", text)
    return next((name for name, pattern in _PATTERNS if pattern.search(composed)), None)


def _is_nothing(text: str) -> bool:
    return _NOTHING.match(text) is not None
