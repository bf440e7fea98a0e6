"""Checksums of stored files: what is damaged, or in the place of another file, is noticed when it is read.

Every checksum covers the content and a key, which says what the content belongs to. So a sound file that was copied
over another one is noticed too. A file that fails is set aside under the name `<name>.damaged` and made again.
"""

from __future__ import annotations

import json
import math
import shutil
import struct
import warnings
import zipfile
import zlib
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from adapters.atomic import write_atomically
from adapters.errors import DataError, EnvironmentFailure, HarnessError, is_of_environment
from adapters.identity import digest
from adapters.typed_file import decoded, parsed_json
from adapters.typed_values import Place, typed

DAMAGED = ".damaged"
"""Appended to the name of a file that was set aside."""
Sums = npt.NDArray[np.uint32]
Array = npt.NDArray[Any]
T = TypeVar("T")
_SUMS = "sums"
_SEAL = "sum"
_BLOCK = 1 << 22


class DamagedFile(DataError):
    """A stored file is not what was written."""


class NoChecksum(DamagedFile):
    """A stored file can be read, but has no checksum: an earlier version or another program wrote it."""


class DamageWarning(UserWarning):
    """A stored file was set aside."""


def seed(*key: str) -> int:
    """The CRC-32 that the checksums of a key start with."""
    return zlib.crc32("\0".join(key).encode())


def save_arrays(file: Path, key: str, arrays: Mapping[str, Array]) -> None:
    """Write arrays with their checksums to an .npz file, atomically."""
    sums = {name: _array_sum(key, name, array) for name, array in arrays.items()}
    kept = {**arrays, _SUMS: np.frombuffer(json.dumps(sums).encode(), np.uint8)}
    with write_atomically(file) as unfinished, unfinished.open("wb") as out:
        np.savez(out, **kept)  # type: ignore[arg-type]


def load_arrays(file: Path, key: str, names: Collection[str] | None = None) -> dict[str, Array]:
    """Read arrays that `save_arrays` wrote, and verify each.

    Args:
        names: the arrays to read. Default: all.

    Raises:
        NoChecksum: the file has no checksums.
        DamagedFile: the file cannot be read, or an array is not what was written under this key.
    """
    arrays, kept = _read(file, None if names is None else {*names, _SUMS})
    sums = arrays.pop(_SUMS, None)
    if sums is None:
        raise NoChecksum(f"{file}: it has no checksum")
    written = _parsed(sums)
    sound = kept == written.keys() and all(_array_sum(key, *one) == written[one[0]] for one in arrays.items())
    if not sound:
        raise DamagedFile(f"{file}: its content is not what was written under this name")
    return arrays


def array_in(file: Path, key: str, name: str) -> tuple[int, np.dtype[Any], int]:
    """Where an array of one dimension is in a file that `save_arrays` wrote, verified without holding it in memory.

    Returns:
        the byte at which it begins, its type, the number of its elements.

    Raises:
        NoChecksum: the file has no checksums.
        DamagedFile: the file cannot be read, or the array is not what was written under this key.
    """
    sums, _ = _read(file, {_SUMS})
    if _SUMS not in sums:
        raise NoChecksum(f"{file}: it has no checksum")
    try:
        start, dtype, shape, found = _summed(file, key, name)
    except Exception as error:  # as in `_read`
        raise unreadable(file, error) from None
    if found != _parsed(sums[_SUMS]).get(name) or len(shape) != 1:
        raise DamagedFile(f"{file}: its content is not what was written under this name")
    return start, dtype, shape[0]


def _summed(file: Path, key: str, name: str) -> tuple[int, np.dtype[Any], tuple[int, ...], int]:
    """Where an array begins in its file, its type, its shape, its checksum."""
    with zipfile.ZipFile(file) as packed, packed.open(f"{name}.npy") as member:
        np.lib.format.read_magic(member)
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        header, found = member.tell(), seed(key, name, dtype.str, str(shape))
        while block := member.read(_BLOCK):
            found = zlib.crc32(block, found)
        at, size = packed.getinfo(f"{name}.npy").header_offset, member.tell() - header
    with file.open("rb") as stored:
        stored.seek(at)
        names, extra = struct.unpack("<26x2H", stored.read(30))
    if size != dtype.itemsize * math.prod(shape):
        raise ValueError("its size is not that of its shape")
    return at + 30 + names + extra + header, dtype, shape, found


def load_unproven(file: Path) -> dict[str, Array]:
    """Read the arrays of a file whose checksums are missing, or not used. The caller has to prove them.

    Raises:
        DamagedFile: the file cannot be read.
    """
    arrays, _ = _read(file, None)
    arrays.pop(_SUMS, None)
    return arrays


def _read(file: Path, names: Collection[str] | None) -> tuple[dict[str, Array], set[str]]:
    """The wanted arrays, and the names of all arrays but the checksums."""
    if file.exists() and not file.is_file():  # reading a pipe would wait for ever
        raise DamagedFile(f"{file}: it is not a plain file")
    try:
        with file.open("rb") as stored, np.load(stored, allow_pickle=False) as columns:
            arrays = {name: columns[name] for name in columns.files if names is None or name in names}
            return arrays, set(columns.files) - {_SUMS}
    except Exception as error:  # a damaged header raises anything from SyntaxError to MemoryError
        raise unreadable(file, error) from None


def unreadable(file: Path, error: Exception) -> HarnessError:
    """The error for a stored file that cannot be read: it is damaged, or the machine does not give it. Only a damaged
    one may be set aside."""
    fails = isinstance(error, OSError) and is_of_environment(error)
    return (EnvironmentFailure if fails else DamagedFile)(f"{file}: it cannot be read ({_line(error)})")


def _parsed(sums: Array) -> dict[str, object]:
    try:
        found = json.loads(sums.tobytes())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def sealed(content: Mapping[str, object], key: str) -> dict[str, object]:
    """The content of a JSON file with a digest of itself and the key."""
    return {**content, _SEAL: digest({"key": key, "content": dict(content)})}


def save_sealed(file: Path, key: str, content: Mapping[str, object]) -> None:
    """Write a JSON file with a digest of its content and key, atomically."""
    plain = json.loads(json.dumps(content))
    with write_atomically(file) as unfinished:
        unfinished.write_text(json.dumps(sealed(plain, key), ensure_ascii=False, indent=1), "utf-8")


def read_sealed(
    file: Path, kind: type[T], key: str | None = None, *, advice: str = "", complete: bool = False
) -> tuple[T, bool]:
    """Read a JSON file as its class, and say whether its digest proves it; an earlier version wrote none.

    Args:
        key: as for `save_sealed`. Default: the value of its field `fingerprint`.
        complete: as in `read_json`.

    Raises:
        DamagedFile: the file cannot be read, or its digest is that of another content or key.
    """
    at = Place(str(file), error=DamagedFile, advice=advice, table="object", complete=complete)
    try:
        content = parsed_json(decoded(file.read_bytes(), at), at)
    except FileNotFoundError:
        at.refuse("there is no such file")
    except OSError as error:
        raise unreadable(file, error) from None
    written = content.pop(_SEAL, None) if isinstance(content, dict) else None
    value = typed(kind, content, at)
    if written is None:
        return value, False
    assert isinstance(content, dict)
    if written != digest({"key": key or str(content.get("fingerprint")), "content": content}):
        at.refuse("its content is not what was written under this name")
    return value, True


def set_aside(place: Path, damage: Exception | str, then: str) -> None:
    """Rename a damaged file or folder to `<name>.damaged`, and say so in one line. An earlier one of that name is
    removed.

    Args:
        damage: what is wrong; a `DamagedFile` names the file.
        then: what is done next, as in "its texts are embedded again".
    """
    aside, what = place.with_name(f"{place.name}{DAMAGED}"), "its folder" if place.is_dir() else "it"
    with suppress(OSError):  # another process was faster, or the folder is read-only
        if aside.is_dir():
            shutil.rmtree(aside)
        place.replace(aside)
    reason = str(damage) if isinstance(damage, DamagedFile) else f"{place}: {damage}"
    warnings.warn(f"{reason}; {what} is kept as {aside.name}, and {then}", DamageWarning, stacklevel=3)


def _array_sum(key: str, name: str, array: Array) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data, seed(key, name, array.dtype.str, str(array.shape)))


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0] or type(error).__name__
