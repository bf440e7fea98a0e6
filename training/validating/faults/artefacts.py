"""What belongs to a generator and to no query: refusals, openings of answers, numbers, markup, instructions, references
to "the document", damaged letters."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from training.synthesis.parser import REFUSAL
from training.validating.faults.fault import Fault, exceeds
from training.validating.faults.reading import Reading

LIMIT = 0.02
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
            r"\A\W*(quer(y|ies)|questions?|search quer(y|ies)|q|answer|output|user|assistant"
            r"|frage|fragen|antwort|suchanfrage"
            r"|pregunta|respuesta|consulta|requête|вопрос|запрос|问题|問題|查询|答案|質問)\s*\d*\s*[:：]",
        ),
        ("a number", r"\A\s*(\d{1,2}[.)]|\(\d{1,2}\)|[-*•])\s+\S"),
        (
            "markup",
            r"\*\*|\A#{1,6} |```|</?[a-z_|]{2,20}>|<\|[^|]*\|>|\A\s*[\[{]\s*[\"“]|[\"”]\s*[\]}],?\s*\Z|\{\w*\}"
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
        (
            "a reference to the document",
            r"\b(according to|in|from|based on|mentioned in|described in|of|by) (the|this) "
            r"((given|provided|above|following) )?(document|passage|text|paragraph|excerpt|abstract|snippet)\b"
            r"|\b(the|this) (given|provided|above) (context|article|document|passage|text)\b"
            r"|\b(laut|gemäß|nach|aus|im) (dem |diesem |obigen )?"
            r"(dokument|text|textabschnitt|absatz|abschnitt|passage)\b"
            r"|\b(según|en|del|de) (el |este |la |esta )?(documento|texto|pasaje|párrafo|fragmento)\b"
            r"|(根据|根據|按照|本|上述|该|該)(文|文档|文檔|文本|段落|文章|上文)(中|，|,|所|的|里|提)",
        ),
        ("damaged letters", "\ufffd|Ã[\u0080-\u00bf¤§¶¼]|â€|Ð[\u0080-\u00bf]"),
    )
)


def artefacts(own: Reading, real: Reading | None) -> Fault:
    """Whether more than a few queries have something that a generator left in them."""
    found = [artefact(text) for text in own.texts]
    hits = sum(one is not None for one in found)
    usual = None if real is None else (sum(artefact(text) is not None for text in real.texts), len(real))
    counts = Counter(one for one in found if one is not None)
    kinds = ", ".join(f"{name} {count / len(own):.0%}" for name, count in counts.most_common(3))
    example = next((text for text, one in zip(own.texts, found, strict=True) if one is not None), "")
    line = f"artefacts of a generator: {kinds}, such as '{example[:60]}'"
    share = hits / len(own) if len(own) else None
    return Fault(
        "artefacts", share, exceeds(hits, len(own), LIMIT, usual), line, real=usual[0] / usual[1] if usual else None
    )


@lru_cache(maxsize=1 << 15)
def artefact(text: str) -> str | None:
    """The name of the first artefact in a query; None if there is none."""
    return next((name for name, pattern in _PATTERNS if pattern.search(text)), None)
