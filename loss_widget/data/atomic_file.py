"""A file or directory that is either wholly written or not there: temporary sibling, fsync, rename."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import secrets
import shutil
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loss_widget.errors import ExportError

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_ABANDONED = 24 * 60 * 60  # seconds


@contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A temporary path in the same folder, which takes the place of `path` when the block ends well.

    Without `overwrite` an existing `path` raises `ExportError`, also one that appears while the block runs. A kill at any moment
    leaves the old or the new one; see `recover` for the file systems that cannot exchange two directories in one step.
    """
    recover(path)
    if os.path.lexists(path) and not overwrite:
        raise ExportError(f"Expected a path that is free, found {_kind(path)} at {path}. Pass `overwrite=True` or another name.")
    if not path.parent.is_dir():
        raise ExportError(f"Expected an existing folder, found none at {path.parent}. Create it first.")
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        yield temporary
        _sync(temporary)
        if not overwrite:
            _place(temporary, path)
        elif path.is_dir() and temporary.is_dir():
            _replace_directory(temporary, path)
        else:
            os.replace(temporary, path)
    finally:
        _remove(temporary)


def recover(path: Path) -> None:
    """What a killed process left beside `path`: a directory moved aside is put back where nothing took its place, else removed;
    half-written siblings are removed a day later, when nobody writes them any more."""
    if not path.parent.is_dir():
        return
    left = [(p, p.lstat().st_mtime) for p in path.parent.iterdir() if _is_ours(p.name, path)]
    for sibling, changed in sorted(left, key=lambda found: -found[1]):
        if sibling.suffix == ".old" and not os.path.lexists(path):
            os.rename(sibling, path)
        elif sibling.suffix == ".old" or changed < time.time() - _ABANDONED:
            _remove(sibling)


def _replace_directory(new: Path, path: Path) -> None:
    """The old directory is removed last, when it stands aside under another name: a failure then costs nothing but its room."""
    aside = path.parent / f".{path.name}.{secrets.token_hex(4)}.old"
    if _exchanged(new, path):
        os.rename(new, aside)
    else:
        os.rename(path, aside)
        try:
            os.rename(new, path)
        except BaseException:
            os.rename(aside, path)
            raise
    try:
        shutil.rmtree(aside)
    except OSError as error:
        warnings.warn(f"{path} was replaced, but the one before could not be removed: {error}. Delete {aside}.", stacklevel=2)


def _exchanged(one: Path, other: Path) -> bool:
    """Whether the two changed places, in one step, which Linux can do on most file systems."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        exchange = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):  # an old C library
        return False
    return bool(exchange(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def _is_ours(name: str, path: Path) -> bool:
    return re.fullmatch(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.(tmp|old)", name) is not None


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _kind(path: Path) -> str:
    return "a directory" if path.is_dir() else "a file"


def _place(temporary: Path, path: Path) -> None:
    """Move to where nothing is; `ExportError` where something has come in the meantime."""
    if not temporary.is_dir():
        try:
            os.link(temporary, path)  # fails where the path exists, unlike a rename
            return
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            if not os.path.lexists(path):
                os.rename(temporary, path)
                return
    elif not os.path.lexists(path):
        os.rename(temporary, path)
        return
    raise ExportError(f"Expected a path that is free, found {_kind(path)} that is new at {path}. Nothing was written.")


def _sync(path: Path) -> None:
    """Bring what was written to the disk, so that the rename cannot come before it."""
    for part in [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]:
        with open(part, "rb") as file, contextlib.suppress(OSError):  # some file systems have no fsync
            os.fsync(file.fileno())
