"""What the first bytes of a file say, for files whose names promise plain text."""

from __future__ import annotations

_HEADS = (
    (b"\x1f\x8b", "gzip data in a file whose name does not end in .gz; rename it so that it does"),
    (b"BZh", "bzip2 data; unpack it with bunzip2, or pack it with gzip"),
    (b"\xfd7zXZ\0", "xz data; unpack it with unxz, or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data; unpack it with unzstd, or pack it with gzip"),
    (b"PK\x03\x04", "a zip file, not text; unpack it"),
    (b"\xff\xfe", "UTF-16 text; save the file as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save the file as UTF-8"),
)


def other_than_text(head: bytes) -> str | None:
    """What a file is if it is not UTF-8 text, and what to do about it; None if its first bytes do not show that.

    Args:
        head: the first bytes, 10 or more unless the file is shorter. Text that begins with "BZh" and a digit counts as
            bzip2 only if the next bytes are those of a block.
    """
    if head.startswith(b"BZh") and head[4:10] not in (b"1AY&SY", b"\x17rE8P\x90"):
        return None
    return next((text for start, text in _HEADS if head.startswith(start)), None)
