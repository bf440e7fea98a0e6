"""The only three reasons for which a test may be skipped. CI refuses any other with `--strict-skips`."""

from __future__ import annotations

DATA = "needs data outside the repository"
GPU = "needs a GPU"
OPTIONAL = "needs something optional that CI does not install"
ALLOWED = (DATA, GPU, OPTIONAL)


def is_allowed(reason: str) -> bool:
    """Whether CI accepts a skip.

    Args:
        reason: as pytest reports it, such as `Skipped: needs a GPU`.
    """
    return reason.removeprefix("Skipped: ").startswith(ALLOWED)
