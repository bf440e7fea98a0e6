"""The names of the fields of rows: which are read, and which must not be passed over.

Names are compared in lower case, with `_` for `-` and spaces: `Negative-1` is `negative_1`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from adapters.errors import DataError
from harness.data.sources.jsonl import JsonLine
from harness.data.written_numbers import is_number

QUERY = ("query", "anchor", "question", "query_text", "sentence1")
QUERY_IDS = ("query_id", "qid")
IDS = ("id", "_id")
"""The id of the row. It is also that of the query if the row lists all texts of the query."""
LISTS = ("docs", "documents", "passages")
TEXT = ("passage", "document", "doc", "text", "response", "answer", "sentence2")
LABELS = (
    *("labels", "label", "scores", "score", "relevance", "relevance_label", "relevance_score", "is_relevant"),
    *("is_duplicate", "similarity", "similarity_score", "teacher_score", "teacher_scores"),
)
SCORES = ("pos_scores", "neg_scores")
PROMPT = "prompt"
_TEXTS = r"(_(passage|document|doc|text|answer|response|sentence|context|ctx)s?)?"
_POSITIVE = re.compile(rf"pos(itive)?s?{_TEXTS}")
_NEGATIVE = re.compile(rf"(hard_)?neg(ative)?s?{_TEXTS}")
_NUMBERED = re.compile(rf"(?P<stem>{_NEGATIVE.pattern}|document)_?(?P<number>\d+)")
_OTHERS = {"instruction", "task", "language", "source", "type"}
_BESIDES = {
    *("id", "ids", "docid", "pid", "did", "qid", "uid", "uuid", "guid", "idx", "index", "no", "num", "number", "n"),
    *("row", "line", "page", "chunk", "offset", "start", "end", "len", "length", "lengths", "size", "count", "counts"),
    *("tokens", "chars", "words", "year", "month", "day", "date", "time", "timestamp", "version", "seed", "fold"),
    *("split", "hash", "url"),
}
"""First or last words of the names of ids and other facts about a text. Such fields are never labels."""
_IDS = {"id", "ids", "docid", "docids", "pid", "pids", "did", "dids"}
_GOOD, _BAD = {"pos", "positive", "positives"}, {"neg", "negs", "negative", "negatives"}
_SIDES = {*_GOOD, *_BAD, "hard", "chosen", "rejected"}
_CONTENTS = {
    *("title", "titles", "context", "contexts", "ctx", "ctxs", "passage", "passages", "document", "documents", "doc"),
    *("docs", "text", "texts", "body", "content", "contents", "paragraph", "paragraphs", "instruction", "instructions"),
    *("prompt", "prompts"),
}
"""Last words of the names of texts that a model would read."""
_JUDGED = {
    *("label", "labels", "score", "scores", "relevance", "relevant", "relevancy", "similarity", "sim", "grade"),
    *("grades", "rating", "ratings", "gold", "margin", "margins", "logit", "logits", "judgment", "judgement"),
}
_YES_NO = {"true", "false", "yes", "no"}


@lru_cache(4096)
def normal(name: str) -> str:
    """A name in lower case, with `_` for `-` and spaces and before capitals within the name."""
    return re.sub(r"[\s-]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())).lower()


def normalised(record: JsonLine) -> JsonLine:
    """The record with normal names.

    Raises:
        DataError: two fields that are not null have the same normal name.
    """
    if all(normal(name) == name for name in record.fields):
        return record
    fields: dict[str, object] = {}
    written: dict[str, str] = {}
    for name, value in record.fields.items():
        key = normal(name)
        if key in fields and record.has(name) and record.has(written[key]):
            raise DataError(
                f"{record.where}: the fields '{written[key]}' and '{name}' are the same; remove one of them"
            )
        if key not in fields or record.has(name):
            fields[key], written[key] = value, name
    return replace(record, fields=fields)


def positive_names(fields: Sequence[str]) -> tuple[str, ...]:
    """The names for relevant texts among those of a row, and `positive`."""
    return _matching(fields, _POSITIVE, "positive")


def negative_names(fields: Sequence[str]) -> tuple[str, ...]:
    """The names for other texts among those of a row, and `negative`."""
    return _matching(fields, _NEGATIVE, "negative")


def numbered_names(fields: Sequence[str], *, documents: bool = False) -> list[str]:
    """`negative_1`, `hard_neg_2`, ..., in the order of their numbers.

    Args:
        documents: `document_1`, `document_2`, ... instead.
    """
    found = [(int(match["number"]), name) for name in fields if (match := _NUMBERED.fullmatch(name))]
    return [name for _, name in sorted(found) if name.startswith("document") == documents]


def refuse_gaps(record: JsonLine, label: str) -> None:
    """Refuse a null among the texts to which the numbers of a row belong: they could not be matched.

    Raises:
        DataError: a field for negative or numbered texts is null.
    """
    names = list(record.fields)
    texts = (*negative_names(names), *numbered_names(names), *numbered_names(names, documents=True))
    gap = next((name for name in texts if name in record.fields and not record.has(name)), None)
    if gap:
        raise DataError(
            f"{record.where}: field '{gap}' is null, so the numbers of '{label}' cannot be matched with the texts; "
            f"remove '{gap}' from the row and its number from '{label}', or leave the row out"
        )


def refuse_null_label(record: JsonLine) -> None:
    """Refuse a row whose label is null or NaN.

    Raises:
        DataError: a field for labels is there, and has no value.
    """
    name = next((name for name in LABELS if name in record.fields and not record.has(name)), None)
    if name:
        raise DataError(f"{record.where}: field '{name}' is null; write a number, or leave the row out")


def refuse_unread_texts(record: JsonLine) -> None:
    """Refuse a row with texts that have a name that nothing reads, and look like positive or negative texts, or like
    a part of a text that a model would read. Refuse ids in place of positive or negative texts.

    Raises:
        DataError: the message has the name.
    """
    for name in _unread(record):
        if not _is_text(record.fields[name]) or {*_words(name)} & _JUDGED:
            continue
        if {*_words(name)} & _SIDES:
            raise DataError(
                f"{record.where}: nothing reads the texts of '{name}'; rename the field to 'positive', 'negative' or "
                "'negative_1', or remove it"
            )
        if _words(name)[-1] in _CONTENTS:
            raise DataError(
                f"{record.where}: nothing reads the text of '{name}'; join it with the text that it belongs to, rename "
                "it ('passage' is read as a document, 'instruction' as an instruction), or remove it"
            )
    _refuse_ids_alone(record)


def _refuse_ids_alone(record: JsonLine) -> None:
    names = list(record.fields)
    sides = ((_GOOD, positive_names(names)), (_BAD, (*negative_names(names), *numbered_names(names))))
    for words, texts in sides:
        ids = next((name for name in names if {*_words(name)} & words and _words(name)[-1] in _IDS), None)
        if ids and record.fields[ids] not in (None, [], "") and not any(map(record.has, texts)):
            raise DataError(
                f"{record.where}: '{ids}' has ids, and the row has no texts for them; write the texts into "
                f"'{texts[0]}', or remove the field"
            )


def refuse_scores_of_texts(record: JsonLine) -> None:
    """Refuse a row without labels or scores whose texts are objects with a number such as `score`.

    Raises:
        DataError: the message has the field and the name of the number.
    """
    for name, value in record.fields.items():
        objects = [one for one in _listed(value) if isinstance(one, dict)]
        for key in dict.fromkeys(key for one in objects if "text" in one for key in one):
            if {*_words(normal(key))} & _JUDGED and any(_is_numeric(one.get(key)) for one in objects):
                raise DataError(
                    f"{record.where}: nothing reads '{key}' of the texts in '{name}'; write a teacher's scores into "
                    "'pos_scores' and 'neg_scores', or remove it"
                )


def refuse_other_labels(record: JsonLine, read: Sequence[str]) -> None:
    """Refuse a row that also has labels, texts or a prompt under names of another form.

    Args:
        read: the fields that are read.

    Raises:
        DataError: the message has the name.
    """
    names = [normal(name) for name in record.fields]
    others = {*LABELS, *SCORES, PROMPT, *positive_names(names), *negative_names(names), *numbered_names(names)}
    other = next((name for name in record.fields if name not in read and normal(name) in others), None)
    if other and record.has(other):
        used = " and ".join(f"'{name}'" for name in read if record.has(name))
        advice = "rename it to 'instruction'" if normal(other) == PROMPT else "put what it has into those"
        raise DataError(
            f"{record.where}: the row is read from {used}, and nothing reads '{other}'; {advice}, or remove it"
        )


def refuse_unread_numbers(record: JsonLine, *, is_one_sided: bool) -> None:
    """Refuse a row without labels whose labels or scores may be in a field that nothing reads.

    Args:
        is_one_sided: whether the row has only relevant texts. Then any number or class may be the label; in another
            row only a list of numbers, or a number with a name such as `margin` or `negative_ce`, is taken for a score.

    Raises:
        DataError: the message has the name of the field.
    """
    for name in _unread(record):
        value = record.fields[name]
        is_judged, has_number = bool({*_words(name)} & _JUDGED), _is_numeric(value)
        names_a_text = bool({*_words(name)} & {*_JUDGED, *_SIDES}) or isinstance(value, list)
        if (is_judged or has_number) if is_one_sided else (names_a_text and has_number):
            raise DataError(
                f"{record.where}: nothing reads the field '{name}', and the row has no label; rename the field to "
                "'label' or 'score' if it is one, or remove it"
            )


def names_of(fields: Sequence[str]) -> bool:
    """Whether the names of columns are those of rows."""
    sides = {*positive_names(fields), *TEXT, *numbered_names(fields, documents=True)}
    return bool({*fields} & {*QUERY}) and bool({*fields} & sides)


def is_value(text: str) -> bool:
    """Whether a text is a number, or one of true, false, yes and no."""
    return is_number(text.strip()) or text.strip().lower() in _YES_NO


def _matching(fields: Sequence[str], pattern: re.Pattern[str], first: str) -> tuple[str, ...]:
    return (first, *(name for name in fields if name != first and pattern.fullmatch(name)))


def _unread(record: JsonLine) -> list[str]:
    """Fields with a value that no reader takes, other than ids and facts about a text."""
    known = {*QUERY, *QUERY_IDS, *IDS, *LISTS, *TEXT, *LABELS, *SCORES, PROMPT, *_OTHERS}
    return [
        name
        for name in record.fields
        if name not in known
        and record.has(name)
        and not any(pattern.fullmatch(name) for pattern in (_POSITIVE, _NEGATIVE, _NUMBERED))
        and not name.startswith("_")
        and not {_words(name)[0], _words(name)[-1]} & _BESIDES
    ]


@lru_cache(4096)
def _words(name: str) -> list[str]:
    """The words of a name, without numbers at their ends."""
    return [word.rstrip("0123456789") for word in re.split(r"[_.\s]+", name)]


def _is_text(value: object) -> bool:
    """Whether a value has a text, which is not blank, or an object."""
    return any(isinstance(x, dict) or (isinstance(x, str) and x.strip()) for x in _listed(value))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _is_numeric(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(map(_is_numeric, value))
    return isinstance(value, int | float) or (isinstance(value, str) and is_value(value))
