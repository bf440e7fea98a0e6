"""Mutations of a valid file: what editors, broken downloads, other programs and strangers do to one."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
from collections.abc import Callable
from random import Random
from typing import Any, Literal

Form = Literal["json", "jsonl", "toml", "yaml", "columns", "text", "binary", "safetensors", "zip"]
Mutation = Callable[[bytes, Random], bytes]

NUMBERS = (
    "NaN", "-NaN", "Infinity", "-Infinity", "inf", "nan", "1e999", "-1e999", "1e308", "1e-400", "9" * 400, "9" * 5000,
    "-" + "9" * 5000, "0." + "0" * 5000 + "1", "1_000", "٣", "１２", "0x10", "0o17", "0b1", "00", "007", "0" * 60 + "1",
    "-0", "+1", "1.", ".5", "1.0", "1.5", "1.50000000000000000000001", "-1", "2147483647", "2147483648", "-2147483649",
    "200000000", "4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e5", "1E+2",
    "0.1e1", "1e", "--1", "1,5", "true", "null", "",
)  # fmt: skip
TEXTS = (
    "", " ", "\t", "\0", "a\0b", "\ufeff", "\u200b", "\u2028", "\u2029", "\x85", "\x0b", "\x1c", "\x1b[2J\x1b[31mred",
    "\x1b]8;;http://x\x07", "\u202eevil\u202c", "\u2066x\u2069", "e\u0301", "\U0001f600", "ﬀ", "ß", "İ", "~x", "~",
    "~nobody/x", "../../etc/passwd", "/dev/zero", "/", ".", "a" * 300, "a" * 70_000, "#", "# c",
    '"', "'", '""', "\\", "|",
    "<b>", "[x](http://y)", "![x](y)", "`", "{}", "[]", "{query}", "{0}", "%s", "$HOME", "__proto__", "null", "q1 q2",
    "q1\tq2", "q1\nq2", "q1\rq2", "con", "\u0661", "१",
)  # fmt: skip
ESCAPES = (r"\ud800", r"\udfff", r"\ud83d\ude00", r"\u0000", r"\u202e", r"\x41", r"\u12", r"\n", r"\"")
YAML = (
    "2020-01-01", "2001-12-14t21:59:43.10-05:00", "2001-99-99", "0001-01-01 00:00:00 +23:59", "!!binary 'a'",
    "!!python/object:os.system x", "!!int x", "!!float x", "!!timestamp x", "!!set {a, b}", "!!omap [a: 1]", "!x y",
    "&a [*a]", "*nothing", "<<: *a", "<<: 3", "? [a]\n: b", "1:30", "190:20:30", "0o17", ".inf", ".nan", "~", "yes",
    "- - - x", "|\n x", ">\n x", "%YAML 9.9", "---\n...", "@x", "`x`", "{a: b", "[a, b", "'x", "!!pairs [a]", "= 3",
)  # fmt: skip
TOML = (
    "2020-01-01", "2020-13-01", "1979-05-27T07:32:00Z", "07:32:00", "'''x'''", '"""x"""', "{ a = 1 }", "{ a.b = 1 }",
    "[[1], [2]]", "inf", "-nan", "1_000", "0xdead", "'x", "[1,,2]", "{a=1,}", "true", '"\\ud800"', '"\\UFFFFFFFF"',
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3, 1.0, 0.5, 2**31, 2**63, 2**64, 10**30, 10**400, -(10**400), float("nan"),
    float("inf"), 1e308, [], [[]], [None], [1, 2], ["a", "b"], [{}], {}, {"a": 1}, {"": ""}, {"text": None},
    {"a": {"b": {"c": []}}}, [[1]] * 50,
)  # fmt: skip
_HUGE = "a number of 5,000 digits"
DEPTHS = (1, 2, 50, 300, 700, 1100, 20_000, 200_000)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def mutated(content: bytes, form: Form, rng: Random) -> bytes:
    """The content after one to three mutations that suit its form."""
    own = _BY_FORM[form]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        ways = own if own and rng.random() < 0.6 else BYTES if form in _OPAQUE else (*BYTES, *TEXTUAL)
        content = rng.choice(ways)(content, rng)
    return content


def _span(content: bytes, rng: Random, longest: int = 64) -> tuple[int, int]:
    start = rng.randrange(len(content) + 1)
    return start, min(len(content), start + rng.randrange(1, longest + 1))


def _flip(content: bytes, rng: Random) -> bytes:
    if not content:
        return content
    at = rng.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]


def _overwrite(content: bytes, rng: Random) -> bytes:
    start, end = _span(content, rng, 9)
    return content[:start] + rng.choice((b"\0", b"\xff", rng.randbytes(1))) * (end - start) + content[end:]


def _cut_out(content: bytes, rng: Random) -> bytes:
    start, end = _span(content, rng)
    return content[:start] + content[end:]


def _truncate(content: bytes, rng: Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _insert(content: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice((rng.randbytes(rng.randrange(1, 9)), b"\0" * rng.randrange(1, 9))) + content[at:]


def _double(content: bytes, rng: Random) -> bytes:
    start, end = _span(content, rng, 200)
    return content[:end] + content[start:end] + content[end:]


def _append(content: bytes, rng: Random) -> bytes:
    return content + rng.choice((content, b"\0" * 100, b"\n\n\n", b"garbage", b"\x1a", rng.randbytes(20)))


def _empty(_: bytes, rng: Random) -> bytes:
    return rng.choice((b"", b"\n", b"\0", b" ", b"\xef\xbb\xbf", b"{}", b"[]", b"null", b"version https://git-lfs x"))


BYTES: tuple[Mutation, ...] = (_flip, _flip, _overwrite, _cut_out, _truncate, _insert, _double, _append, _empty)


def _text(rng: Random) -> bytes:
    return rng.choice(TEXTS).encode()


def _insert_text(content: bytes, rng: Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    found = rng.choice(
        (_text(rng), rng.choice(ESCAPES).encode(), rng.choice(NUMBERS).encode(), b"\xed\xa0\x80", b"\xff")
    )
    return content[:at] + found + content[at:]


def _line_ends(content: bytes, rng: Random) -> bytes:
    return content.replace(b"\n", rng.choice((b"\r\n", b"\r", b"\n\n", b"\x85", "\u2028".encode(), b" \n", b"\0\n")))


def _encoding(content: bytes, rng: Random) -> bytes:
    text = content.decode("utf-8", "replace")
    if (name := rng.choice(("bom", "bom", "utf-16", "utf-32", "utf-7", "latin-1", "boms"))) == "bom":
        return b"\xef\xbb\xbf" + content
    if name == "boms":
        return b"".join(b"\xef\xbb\xbf" + line for line in content.splitlines(keepends=True))
    return text.encode(name, "replace")


def _lines(content: bytes, rng: Random) -> bytes:
    lines = content.splitlines(keepends=True) or [b""]
    at = rng.randrange(len(lines))
    way = rng.choice(("twice", "drop", "swap", "empty", "join", "shuffle", "comment"))
    if way == "twice":
        lines.insert(rng.randrange(len(lines) + 1), lines[at])
    elif way == "drop":
        del lines[at]
    elif way == "swap":
        other = rng.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif way == "shuffle":
        rng.shuffle(lines)
    else:
        lines[at] = {"empty": b"\n", "join": lines[at].rstrip(b"\r\n"), "comment": b"# " + lines[at]}[way]
    return b"".join(lines)


def _number(content: bytes, rng: Random) -> bytes:
    found = list(_NUMBER.finditer(content))
    if not found:
        return _insert_text(content, rng)
    one = rng.choice(found)
    return content[: one.start()] + rng.choice(NUMBERS).encode() + content[one.end() :]


def _nest(content: bytes, rng: Random) -> bytes:
    at, depth = rng.randrange(len(content) + 1), rng.choice(DEPTHS)
    left, right = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"[", b""), (b"{a: ", b"}"), (b"- ", b"")))
    return content[:at] + left * depth + rng.choice((b"1", b"")) + right * depth + content[at:]


TEXTUAL: tuple[Mutation, ...] = (_insert_text, _line_ends, _encoding, _lines, _number, _number, _nest)


def _columns(content: bytes, rng: Random) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    sign = b"\t" if b"\t" in lines[at] else b" "
    fields = lines[at].split(sign)
    place = rng.randrange(len(fields))
    way = rng.choice(("value", "value", "number", "drop", "twice", "swap", "sign"))
    if way in ("value", "number"):
        fields[place] = rng.choice(NUMBERS if way == "number" else TEXTS).encode()
    elif way == "drop":
        del fields[place]
    elif way == "twice":
        fields.insert(place, fields[place])
    elif way == "swap":
        other = rng.randrange(len(fields))
        fields[place], fields[other] = fields[other], fields[place]
    else:
        sign = rng.choice((b"  ", b"\t", b" ", b",", b"\x0b", b"\xc2\xa0", "\u3000".encode(), b"\t\t"))
    lines[at] = sign.join(fields)
    return b"\n".join(lines)


def _assigned(content: bytes, rng: Random, sign: bytes, values: tuple[str, ...]) -> bytes:
    lines = content.split(b"\n")
    rows = [row for row, line in enumerate(lines) if sign in line]
    if not rows:
        return content + rng.choice(values).encode()
    row = rng.choice(rows)
    key, _, value = lines[row].partition(sign)
    way = rng.choice(("value", "value", "value", "key", "twice", "drop"))
    if way == "value":
        value = (
            b" "
            + rng.choice((*values, *NUMBERS, json.dumps(rng.choice(TEXTS)), json.dumps(rng.choice(VALUES)))).encode()
        )
    elif way == "key":
        key = rng.choice(
            (key + b"x", key + b".x", b"x." + key, json.dumps(rng.choice(TEXTS)).encode(), b"", _text(rng))
        )
    line = key + sign + value
    lines[row : row + 1] = [] if way == "drop" else [line, line] if way == "twice" else [line]
    return b"\n".join(lines)


def _toml(content: bytes, rng: Random) -> bytes:
    return _assigned(content, rng, b"=", TOML)


def _yaml(content: bytes, rng: Random) -> bytes:
    return _assigned(content, rng, b":", YAML)


def _json(content: bytes, rng: Random) -> bytes:
    """Change the value at a random place of the tree, or repeat a key."""
    try:
        tree = json.loads(content)
    except (ValueError, RecursionError):
        return _number(content, rng)
    holder = {"": tree}
    way: list[Any] = [holder]
    key: Any = ""
    while isinstance(way[-1][key], dict | list) and way[-1][key] and rng.random() < 0.85:
        way.append(way[-1][key])
        key = rng.choice(list(way[-1])) if isinstance(way[-1], dict) else rng.randrange(len(way[-1]))
    _changed(way[-1], key, rng)
    text = json.dumps(holder.get(""), ensure_ascii=rng.random() < 0.7).replace(f'"{_HUGE}"', "9" * 5000)
    if rng.random() < 0.15 and '": ' in text:
        at = rng.choice([found.start() for found in re.finditer(r'"[^"\\]*": ', text)])
        pair = re.match(r'"[^"\\]*": ', text[at:])
        text = f"{text[:at]}{pair[0] if pair else ''}{rng.choice(('1', 'null', '[]'))}, {text[at:]}"
    return text.encode("utf-8", "surrogatepass")


def _changed(holder: Any, key: Any, rng: Random) -> None:
    way = rng.choice(("value", "value", "text", "text", "drop", "wrap", "rename", "far"))
    if way == "value":
        holder[key] = rng.choice(VALUES)
    elif way == "text":
        holder[key] = rng.choice((*TEXTS, "\ud800", "x\udfff"))
    elif way == "drop":
        del holder[key]
    elif way == "wrap":
        holder[key] = [holder[key]] if rng.random() < 0.5 else {"a": holder[key]}
    elif way == "rename" and isinstance(holder, dict) and key:
        holder[rng.choice((*TEXTS, f"{key}x"))] = holder.pop(key)
    else:
        holder[key] = rng.choice((2**31, 2**40, -(2**40), 10**18, 10**25, _HUGE, -1, 0, 1e30))


def _jsonl(content: bytes, rng: Random) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    lines[at] = _json(lines[at], rng)
    return b"\n".join(lines)


def _safetensors(content: bytes, rng: Random) -> bytes:
    """Change the header, with the length that it then has, or with a wrong one."""
    if len(content) < 8:
        return content
    length = struct.unpack("<Q", content[:8])[0]
    header = content[8 : 8 + length]
    header = rng.choice((_json, _json, _json, _number, _nest, _encoding))(header, rng)
    said = rng.choice((len(header), len(header), len(header), len(header) + 1, 0, 2**63, rng.randrange(2**20)))
    return struct.pack("<Q", said) + header + content[8 + length :]


def _zip(content: bytes, rng: Random) -> bytes:
    """Pack the files with another method, name or content, or damage the packed bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # a file that an earlier mutation damaged
        return _flip(content, rng)
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    changed = rng.choice(list(files)) if files else ""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, inner in files.items():
            way = rng.choice(("name", "content", "drop", "same")) if name == changed else "same"
            if way != "drop":
                named = (
                    rng.choice((f"../{name}", f"/{name}", f"x/{name}", name.upper(), "a\\b", f"{name}.gz"))
                    if way == "name"
                    else name
                )
                archive.writestr(
                    named, rng.choice((*BYTES, *TEXTUAL, _jsonl))(inner, rng) if way == "content" else inner
                )
    packed = out.getvalue()
    return _flip(packed, rng) if rng.random() < 0.6 else packed


_OPAQUE = ("binary", "safetensors", "zip")
_BY_FORM: dict[Form, tuple[Mutation, ...]] = {
    "json": (_json,), "jsonl": (_jsonl,), "toml": (_toml,), "yaml": (_yaml,), "columns": (_columns,), "text": (),
    "binary": (), "safetensors": (_safetensors,), "zip": (_zip,),
}  # fmt: skip
