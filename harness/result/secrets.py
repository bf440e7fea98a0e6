"""Removes secrets from commands and addresses before they are stored: passwords, keys, tokens, the home folder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

HIDDEN = "***"

_T = TypeVar("_T")

_NAMES = {
    "key", "apikey", "token", "password", "passwd", "passphrase", "pwd", "secret", "auth", "authorization",
    "credential", "credentials", "signature", "sig",
}  # fmt: skip
_USER = re.compile(r"(://)[^/\s?#'\"]*@")
_PASSWORD_WITH_SLASH = re.compile(r"(://)[^/\s:@\[]+:(?!\d{1,5}(?:[/?#\s]|$))[^\s@'\"]*@")
_VALUE = r"(\"[^\"]*\"|'[^']*'|[^&;\s#'\"]+)"
_PARAMETER = re.compile(rf"(?<![\w./%-])(-{{0,2}}[A-Za-z][\w.%-]*)(=){_VALUE}")
_OPTION = re.compile(rf"(?<![\w./-])(--?[A-Za-z][\w-]*)(\s+)(?!-){_VALUE}")
_HEADER = re.compile(r"(?i)\b(bearer|basic)\s+(?=\S*[\d=])[\w.~+/=-]{8,}")  # not basic facts
_HEADER_NAMED = re.compile(r"(?i)\b((?:x-)?api[-_]key|authorization)(:\s+)(?!bearer\b|basic\b)[^\s'\"]+")
_TOKENS = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        hf_(?:(?=[A-Za-z]*\d)[A-Za-z0-9]{8,}|[A-Za-z0-9]{16,}) | api_org_[A-Za-z0-9]{16,}
      | sk[-_](?:proj|ant|or|svcacct|admin|test|live)[-_][\w-]{4,}
      | sk-(?=[A-Za-z]*\d)[A-Za-z0-9]{8,} | sk-[\w-]*[A-Za-z0-9]{16,}[\w-]*
      | gh[opsur]_[A-Za-z0-9]{16,} | github_pat_\w{16,} | glpat-[\w-]{16,} | xox[abeprs]-[\w-]{10,}
      | AKIA[0-9A-Z]{16} | AIza[\w-]{30,} | gsk_[A-Za-z0-9]{16,} | nvapi-[\w-]{16,} | pypi-[\w-]{32,}
      | eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*
    )""",
    re.VERBOSE,
)


def without_secrets(text: str) -> str:
    """Return the text with `***` in place of secrets: users and passwords in addresses, values of options and query
    parameters with the name of a secret, and well-known kinds of tokens."""
    text = _PASSWORD_WITH_SLASH.sub(rf"\1{HIDDEN}@", _USER.sub(rf"\1{HIDDEN}@", text))
    text = _HEADER_NAMED.sub(rf"\1\2{HIDDEN}", _HEADER.sub(rf"\1 {HIDDEN}", text))
    return _TOKENS.sub(HIDDEN, _OPTION.sub(_hidden_value, _PARAMETER.sub(_hidden_value, text)))


def public(text: str) -> str:
    """Return `without_secrets` of the text, with `~` for the user's home folder."""
    return _short(without_secrets(text))


def public_command(arguments: Sequence[str]) -> str:
    """Return a command, quoted for a shell, with `public` applied to all arguments."""
    shown, hide_next = [], False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        if hide_next and not argument.startswith("--"):
            shown.append(HIDDEN)
        elif argument.startswith("-") and equals and is_secret(name):
            shown.append(f"{name}={HIDDEN}")
        else:
            shown.append(public(argument))
        hide_next = argument.startswith("-") and not equals and is_secret(argument)
    return " ".join(_quoted(argument) for argument in shown)


def public_values(content: _T) -> _T:
    """Return JSON-like content with `without_secrets` applied to every string value. Keys and paths are unchanged,
    because they are read back."""
    return _values(content)  # type: ignore[return-value]


def is_secret(name: str) -> bool:
    """Whether an option or parameter with this name contains a secret: `api_key` and `hf-token` do, `max_tokens` and
    `key_variable` do not."""
    apart = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", unquote(name))
    return re.split(r"[^A-Za-z0-9]+", apart)[-1].lower() in _NAMES


def _hidden_value(found: re.Match[str]) -> str:
    name, between, _ = found.groups()
    return f"{name}{between}{HIDDEN}" if is_secret(name) else found[0]


def _short(text: str) -> str:
    try:
        home = str(Path.home())
    except RuntimeError:  # a user without an entry in the password file
        return text
    if len(home) < 2:
        return text
    return re.sub(rf"(?<![\w.~-]){re.escape(home)}(?![\w.-])", "~", text)


def _quoted(argument: str) -> str:
    if argument == HIDDEN or re.fullmatch(r"[\w@%+=:,./~*-]+", argument):
        return argument
    if argument.startswith("~/"):  # the shell does not expand it in quotes
        return f"~/{shlex.quote(argument[2:])}"
    return shlex.quote(argument)


def _values(content: object) -> object:
    if isinstance(content, str):
        return without_secrets(content)
    if isinstance(content, Mapping):
        return {key: _values(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_values(value) for value in content]
    return content
