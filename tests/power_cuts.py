"""A disk that loses what was not synchronised: a recorded command, and what a power cut leaves of its files.

`strace` records every call that changes a file below a folder. A replay applies the calls up to the cut, and then keeps
only what the disk had to keep: the content of a file after its last fsync, the names of a folder after the fsync of the
folder. Writes through a memory map are not seen; the only ones here are those of SQLite's `-shm` file, which it makes
again after a crash.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

Mode = Literal["synced", "names", "some"]
"""What is left: only what was synchronised; also all names, as on a disk that keeps them in a journal; or of what was
not synchronised, some names and some writes, drawn at random."""
_OTHERS = (
    "writev", "pwritev", "truncate", "fallocate", "sendfile", "copy_file_range", "link", "linkat", "symlink",
    "symlinkat",
)  # fmt: skip
"""Calls that a replay refuses: none of the commands here makes them."""
_NAMES = ("rename", "unlink", "mkdir", "rmdir", "link", "symlink", "truncate")
_CALLS = (
    "openat", "open", "creat", "lseek", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "rename", "renameat",
    "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", *_OTHERS,
)  # fmt: skip
_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (\d+)[^)]*$", re.DOTALL)
_BEGUN = re.compile(r"(\d+) +(.*) <unfinished \.\.\.>$", re.DOTALL)
_ENDED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)$", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FILE = re.compile(r"(AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2})*)")


@dataclass(frozen=True)
class Call:
    """A call of the system that succeeded."""

    name: str
    arguments: str
    result: int

    def texts(self) -> list[bytes]:
        """The arguments in quotes."""
        return [_bytes(one) for one in _TEXT.findall(self.arguments)]

    def files(self) -> list[tuple[str, Path]]:
        """The open files and folders among the arguments, with their numbers."""
        return [(number, Path(_bytes(one).decode())) for number, one in _FILE.findall(self.arguments)]


@dataclass
class Inode:
    """A file, with what of it is on the disk."""

    content: bytearray = field(default_factory=bytearray)
    synced: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """The writes since the last fsync: where, and what; None for a new size."""

    def write(self, at: int, data: bytes | None) -> None:
        """Write some bytes, or set the size."""
        self.pending.append((at, data))
        _apply(self.content, at, data)

    def sync(self) -> None:
        """Everything so far is on the disk."""
        self.synced, self.pending = bytes(self.content), []

    def left(self, mode: Mode, chance: Random) -> bytes:
        """What a power cut leaves."""
        left = bytearray(self.synced)
        for at, data in self.pending if mode == "some" else ():
            if chance.random() < 0.5:
                _apply(left, at, data)
        return bytes(left)


@dataclass
class Folder:
    """A folder, with those of its names that are on the disk."""

    entries: dict[str, Inode | Folder] = field(default_factory=dict)
    synced: dict[str, Inode | Folder] = field(default_factory=dict)

    def left(self, mode: Mode, chance: Random) -> dict[str, Inode | Folder]:
        """What a power cut leaves."""
        kept = mode == "synced" or (mode == "some" and chance.random() < 0.5)
        return self.synced if kept else self.entries


class Disk:
    """The files below a folder while calls are applied.

    Args:
        root: the folder as the calls name it.
        start: a copy of it as it was before the first call. All of it is on the disk.
    """

    def __init__(self, root: Path, start: Path) -> None:
        self._root = root
        self._top = _read(start)
        self._places: dict[tuple[str, Path], int] = {}
        self._appending: set[tuple[str, Path]] = set()

    def apply(self, call: Call) -> bool:
        """Apply a call; False if it does not concern the folder."""
        paths = [self._absolute(one, call) for one in call.texts()[: 1 + call.name.startswith(("rename", "link"))]]
        files = [(number, path) for number, path in call.files() if number != "AT_FDCWD"]
        if call.name in {"openat", "open", "creat"}:
            return self._is_inside(paths[0]) and self._open(call, paths[0])
        if files and not call.name.endswith("at") and self._is_inside(files[0][1]):
            return self._of_file(call, *files[0])
        if call.name.startswith(_NAMES) and any(map(self._is_inside, paths)):
            self._of_names(call, paths)
            return True
        return False

    def save(self, target: Path, mode: Mode, seed: object) -> None:
        """Write what a power cut leaves into an empty folder."""
        _write(self._top, target, mode, Random(str(seed)))

    def _is_inside(self, path: Path) -> bool:
        return path.is_relative_to(self._root) and not path.name.endswith(("-shm", " (deleted)"))

    def _absolute(self, text: bytes, call: Call) -> Path:
        folder = next((path for _, path in call.files()), Path("/")) if call.name.endswith(("at", "at2")) else Path("/")
        return folder / text.decode("utf-8", "surrogateescape")

    def _folder(self, path: Path) -> Folder:
        found: Inode | Folder = self._top
        for part in path.relative_to(self._root).parts:
            assert isinstance(found, Folder)
            found = found.entries[part]
        assert isinstance(found, Folder)
        return found

    def _open(self, call: Call, path: Path) -> bool:
        if "O_TMPFILE" in call.arguments or not {"O_CREAT", "O_TRUNC", "O_APPEND", "O_RDWR", "O_WRONLY"} & set(
            re.findall(r"O_\w+", call.arguments)
        ):
            return False
        entries = self._folder(path.parent).entries
        made = path.name not in entries
        one = entries.setdefault(path.name, Inode())
        assert isinstance(one, Inode)
        if "O_TRUNC" in call.arguments and one.content:
            one.write(0, None)
        key = str(call.result), path
        self._places[key] = 0
        (self._appending.add if "O_APPEND" in call.arguments else self._appending.discard)(key)
        return made or "O_TRUNC" in call.arguments

    def _of_file(self, call: Call, number: str, path: Path) -> bool:
        if call.name in {"fsync", "fdatasync"}:
            return self._sync(path)
        one = self._folder(path.parent).entries.get(path.name)
        if one is None:  # a temporary file without a name
            return False
        key, numbers = (number, path), [int(one) for one in re.findall(r", (\d+)", call.arguments)]
        if call.name == "lseek":
            self._places[key] = call.result
            return False
        assert isinstance(one, Inode)
        if call.name == "write":
            at = len(one.content) if key in self._appending else self._places.get(key, 0)
            one.write(at, call.texts()[0][: call.result])
            self._places[key] = at + call.result
        elif call.name == "pwrite64":
            one.write(numbers[-1], call.texts()[0][: call.result])
        elif call.name == "ftruncate":
            one.write(numbers[-1], None)
        else:
            raise ValueError(f"the replay does not know the call {call.name}, made for {path}")
        return True

    def _sync(self, path: Path) -> bool:
        parent = self._top if path == self._root else self._folder(path.parent).entries[path.name]
        if isinstance(parent, Folder):
            parent.synced = dict(parent.entries)
        else:
            parent.sync()
        return True

    def _of_names(self, call: Call, paths: Sequence[Path]) -> None:
        path = paths[0]
        entries = self._folder(path.parent).entries
        if call.name.startswith("mkdir"):
            entries[path.name] = Folder()
        elif call.name.startswith(("unlink", "rmdir")):
            entries.pop(path.name, None)
        elif call.name.startswith("rename"):
            self._folder(paths[1].parent).entries[paths[1].name] = entries.pop(path.name)
        else:
            raise ValueError(f"the replay does not know the call {call.name}, made for {path}")


def is_possible() -> bool:
    """Whether this machine has `strace`, and lets it trace."""
    return (
        shutil.which("strace") is not None
        and not subprocess.run(
            ["strace", "-f", "--seccomp-bpf", "-e", "trace=mkdir", "-o", "/dev/null", "true"],
            check=False,
            capture_output=True,
        ).returncode
    )


def recorded(command: Sequence[str], log: Path) -> list[Call]:
    """Run a command, and return its calls.

    Raises:
        CalledProcessError: the command fails.
    """
    traced = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-y",
        "-xx",
        "-s",
        str(1 << 26),
        "-e",
        f"trace={','.join(_CALLS)}",
    ]
    subprocess.run([*traced, "-e", "signal=none", "-o", str(log), *command], check=True)
    return list(calls(log))


def calls(log: Path) -> Iterator[Call]:
    """The calls in a log of strace, in the order in which they ended, without those that failed."""
    begun: dict[str, str] = {}
    with log.open(encoding="ascii") as lines:
        for line in lines:
            text = line.rstrip("\n")
            if match := _BEGUN.match(text):
                begun[match[1]] = match[2]
                continue
            if match := _ENDED.match(text):
                text = f"{match[1]} {begun.pop(match[1])}{match[2]}"
            if match := _CALL.match(text):
                yield Call(match[2], match[3], int(match[4]))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _apply(content: bytearray, at: int, data: bytes | None) -> None:
    if data is None:
        del content[at:]
    content.extend(bytes(max(0, at - len(content))))
    if data is not None:
        content[at : at + len(data)] = data


def _read(place: Path) -> Folder:
    found = Folder()
    for one in place.iterdir():
        if one.is_dir():
            found.entries[one.name] = _read(one)
        else:
            found.entries[one.name] = Inode(bytearray(one.read_bytes()), one.read_bytes())
    found.synced = dict(found.entries)
    return found


def _write(folder: Folder, target: Path, mode: Mode, chance: Random) -> None:
    for name, one in folder.left(mode, chance).items():
        if isinstance(one, Folder):
            (target / name).mkdir()
            _write(one, target / name, mode, chance)
        else:
            (target / name).write_bytes(one.left(mode, chance))
