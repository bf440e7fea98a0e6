"""Kinds of files with answers that cite."""

from __future__ import annotations

import json
from pathlib import Path

from harness.citing.answers import CitedReference
from harness.citing.parsing import parsed
from harness.citing.reading.files import AnswerFile, read_answers, read_passages
from tests.fuzz.kinds import Kind, constant

OWN = {
    "id": "a",
    "question": "Why?",
    "answer": "It is so [1][2].",
    "references": ["One", {"title": "T", "text": "Two"}],
}
LONG = OWN | {
    "id": "b", "short_answers": [["1894"]], "sub_claims": ["So."], "long_answers": ["Long."], "language": "en",
}  # fmt: skip
ALCE = {
    "question": "Why?", "output": "It is so [1].", "docs": [{"title": "T", "text": "One"}], "claims": ["So."],
    "qa_pairs": [{"short_answers": ["1894"]}], "annotations": [{"long_answer": "Long."}],
}  # fmt: skip
EXPERTQA = {
    "question": "Why?",
    "answers": {"gpt4": {
        "answer_string": "It is so [1].", "attribution": ["[1] https://a"],
        "claims": [{"claim_string": "It is so.", "evidence": ["[1] https://a\n\nOne"], "support": "Complete"}],
    }},
}  # fmt: skip
TREC = {
    "metadata": {"narrative_id": 1, "narrative": "Why?"}, "references": ["d1"],
    "answer": [{"text": "It is so.", "citations": [0]}],
}  # fmt: skip
PASSAGES = '{"docid": "d1", "title": "T", "segment": "One"}\n{"docid": "d2", "segment": "Two"}\n'


def of_answers(path: Path) -> AnswerFile:
    """Every answer that is read can be parsed."""
    found = read_answers(path, {"d1": CitedReference("One", "T", "d1")})
    for one in found.answers:
        parsed(one)
    return found


_CITE = ("sentencex",)
KINDS = [
    Kind(
        "answers",
        "mine/answers.jsonl",
        constant(f"{json.dumps(OWN)}\n{json.dumps(LONG)}"),
        "jsonl",
        of_answers,
        needs=_CITE,
    ),
    Kind("answers-alce", "mine/answers.json", constant(json.dumps({"data": [ALCE]})), "json", of_answers, needs=_CITE),
    Kind("answers-expertqa", "mine/answers.jsonl", constant(json.dumps(EXPERTQA)), "jsonl", of_answers, needs=_CITE),
    Kind("answers-trec", "mine/answers.jsonl", constant(json.dumps(TREC)), "jsonl", of_answers, needs=_CITE),
    Kind("passages", "mine/passages.jsonl", constant(PASSAGES), "jsonl", read_passages),
]
