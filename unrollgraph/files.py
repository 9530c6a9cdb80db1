"""Writing files whole: beside their place first, and moved there when nothing is missing.

So nobody finds half of a file, and what stood there before is lost only when there is something
to take its place.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from unrollgraph.errors import FormatError

__all__ = ["must_end_in", "write_whole"]


def must_end_in(path: str | os.PathLike[str], suffix: str, what: str) -> None:
    """Refuse a name by which a file would be taken for something else."""
    if Path(path).suffix.lower() != suffix:
        better = Path(path).with_suffix(suffix).name
        raise FormatError(f"{path}: {what} is a {suffix} file; call it {better}")


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all, keeping the permissions of one that stands there.

    What is no ordinary file, a pipe or a device, is written to and not replaced. An `OSError`
    names the path as it was given.
    """
    try:
        _replace(Path(path).resolve(), data)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None


def _replace(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(data)
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".unrollgraph-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
