"""Reading files, and writing them whole or not at all.

A file is written beside its place first and moved there when it is complete, so that a reader
never finds half of one, and an old file is replaced only by a complete new one. Temporary files of
a writer that was killed are removed by the next writer in the same folder.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from unrollgraph.errors import FormatError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PREFIX = ".unrollgraph-"


def must_end_in(path: str | os.PathLike[str], suffix: str, what: str) -> None:
    """Refuse a name by which a file would be taken for something else."""
    if Path(path).suffix.lower() != suffix:
        better = Path(path).with_suffix(suffix).name
        raise FormatError(f"{path}: {what} is a {suffix} file; call it {better}")


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a file.

    Raises
    ------
    FormatError
        If no file can have the name.
    OSError
        If it cannot be read; it names the path as it was given.
    """
    with _path_as_given(path):
        return Path(path).read_bytes()


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole or not at all, keeping the permissions of an old one.

    A pipe or a device is written to and not replaced.

    Raises
    ------
    FormatError
        If no file can have the name.
    OSError
        If it cannot be written; it names the path as it was given.
    """
    with _path_as_given(path):
        target = Path(path).resolve()
        if target.is_symlink():  # links that lead round, which Python before 3.13 reports itself
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        _replace(target, data)


@contextmanager
def _path_as_given(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the path in errors as it was given, and in an error of ours if it cannot be a path."""
    try:
        yield
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None
    except RuntimeError:  # of `Path.resolve`
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None
    except ValueError as error:  # a NUL, or half of a surrogate pair
        text = str(error).partition(":")[0]
        raise FormatError(f"{str(path)!r:.60} cannot be the name of a file: {text}") from None


def _replace(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file() and not path.is_dir():
        path.write_bytes(data)
        return
    _remove_left_behind(path.parent)
    handle, name = _temporary(path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            mask = os.umask(0)
            os.umask(mask)
            Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~mask)
            if fcntl:  # moved while it is locked, so that no other writer removes it
                Path(name).replace(path)
        if not fcntl:
            Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _temporary(folder: Path) -> tuple[int, str]:
    """Make a file that is locked as long as it is open."""
    while True:
        handle, name = tempfile.mkstemp(dir=folder, prefix=_PREFIX)
        if not fcntl:
            return handle, name
        with suppress(OSError):  # a file system without locks: no other writer removes it either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, name
        os.close(handle)  # another writer removed it before it was locked


def _remove_left_behind(folder: Path) -> None:
    """Remove temporary files that no writer holds any more."""
    if not fcntl:
        return
    for path in folder.glob(f"{_PREFIX}*"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
