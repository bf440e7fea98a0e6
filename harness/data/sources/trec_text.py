"""TREC's tagged files: documents in `<DOC>` elements, topics in `<top>` elements, and topics in XML."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree

from adapters.errors import DataError
from harness.data.sources.dirt import shown
from harness.data.sources.jsonl import JsonLine

Numbered = Iterable[tuple[int, str]]
_CONTENT = "TEXT|HEADLINE|TITLE|HL|HEAD|TTL|DD|DATE|LP|LEADPARA"
"""The elements that make up the text of a document, as in Anserini and ir_datasets."""
_FIELD = re.compile(rf"<({_CONTENT})(?:\s[^>]*)?>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)
_DOCNO = re.compile(r"<DOCNO>\s*(.*?)\s*</DOCNO>", re.DOTALL | re.IGNORECASE)
_END_OF_DOCUMENT = re.compile(r"</DOC>", re.IGNORECASE)
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
_TOPIC_FIELD = re.compile(r"<(num|title|desc|narr|[a-z]+)>", re.IGNORECASE)
_LABEL = {"num": "number", "title": "topic", "desc": "description", "narr": "narrative"}
"""The word with which a field of a topic may begin, before a colon."""
NUMBER = "number"


def tagged_documents(numbered: Numbered, file: str) -> Iterator[JsonLine]:
    """The documents of a file, with `docno` and, if a document has an element with text, `text`.

    Raises:
        DataError: a document has no DOCNO or no end.
    """
    parts, began = list[str](), 0
    for number, line in numbered:
        *complete, rest = _END_OF_DOCUMENT.split(line)
        for end in complete:
            yield _document("\n".join([*parts, end]), file, began or number)
            parts, began = [], 0
        if rest.strip():
            parts.append(rest)
            began = began or number
    if re.search("<DOC>", "\n".join(parts), re.IGNORECASE):
        raise DataError(f"{file}:{began}: a <DOC> without </DOC>; is the file complete?")


def _document(markup: str, file: str, line: int) -> JsonLine:
    docno = _DOCNO.search(markup)
    if docno is None:
        raise DataError(f"{file}:{line}: a <DOC> without <DOCNO>; give every document one")
    texts = [_plain(found[2]) for found in _FIELD.finditer(markup)]
    fields: dict[str, object] = {"docno": docno[1], "text": " ".join(filter(None, texts))} if texts else {}
    return JsonLine(file, line, {"docno": docno[1], **fields})


def _plain(markup: str) -> str:
    return html.unescape(_MARKUP.sub(" ", markup)).strip()


def tagged_topics(numbered: Numbered, file: str) -> Iterator[JsonLine]:
    """The topics of a file with `<top>` elements, each with its `number` and fields such as `title` and `desc`.

    Raises:
        DataError: a topic has no number or no end.
    """
    lines, began = list[str](), 0
    for number, line in numbered:
        if line.strip().lower().startswith("<top>"):
            lines, began = [], number
        lines.append(re.sub("</?top>", "", line, flags=re.IGNORECASE))
        if "</top>" in line.lower():
            yield _topic("\n".join(lines), file, began)
            began = 0
    if began:
        raise DataError(f"{file}:{began}: a <top> without </top>; is the file complete?")


def _topic(markup: str, file: str, line: int) -> JsonLine:
    pieces = _TOPIC_FIELD.split(markup)
    fields: dict[str, object] = {}
    for name, text in zip(map(str.lower, pieces[1::2]), pieces[2::2], strict=True):
        plain = " ".join(_plain(text).split())
        label = _LABEL.get(name, name)
        fields[name] = re.sub(rf"^{label}\s*:\s*", "", plain, flags=re.IGNORECASE)
    return _numbered(fields.pop("num", ""), fields, file, line)


def xml_topics(numbered: Numbered, file: str) -> Iterator[JsonLine]:
    """The topics of an XML file: `<topic number="1">` or `<topic>` with a `<number>`, and a field for every element.

    Raises:
        DataError: the file is not XML, or has no topic, or a topic has no number.
    """
    lines = dict(numbered)
    text = "\n".join(lines.get(number, "") for number in range(1, max(lines) + 1))
    try:
        topics = [each for each in ElementTree.fromstring(text).iter() if each.tag.lower() in ("topic", "top")]
    except ElementTree.ParseError as error:
        raise DataError(f"{file}:{error.position[0]}: not XML ({error}); write & as &amp; and < as &lt;") from None
    if not topics:
        raise DataError(f"{file}:1: no <topic> in it; write every query as <topic number=...> with a <title>")
    for topic in topics:
        fields = {child.tag.lower(): " ".join("".join(child.itertext()).split()) for child in topic}
        number = topic.get("number") or topic.get("id") or fields.pop("number", "") or fields.pop("num", "")
        yield _numbered(number, dict(fields), file, 1)


def _numbered(number: object, fields: dict[str, object], file: str, line: int) -> JsonLine:
    if not str(number).strip():
        raise DataError(f"{file}:{line}: a topic without a number; give every topic one")
    return JsonLine(file, line, {NUMBER: str(number).strip(), **fields})


def with_text(topics: Iterable[JsonLine], field: str | None) -> Iterator[JsonLine]:
    """The topics with the query as `text`: the given field, else `title`, else `query`.

    Raises:
        DataError: a topic lacks the field.
    """
    for topic in topics:
        name = field or next((name for name in ("title", "query") if topic.fields.get(name)), "title")
        if not topic.fields.get(name):
            fields = ", ".join(key for key in topic.fields if key != NUMBER) or "none"
            number = shown(str(topic.fields[NUMBER]))
            advice = f"name another field in collection.toml: [files] query_field = ... (fields: {fields})"
            raise DataError(f"{topic.where}: topic {number} has no {name}; {advice}")
        yield JsonLine(topic.file, topic.line, {NUMBER: topic.fields[NUMBER], "text": topic.fields[name]})
