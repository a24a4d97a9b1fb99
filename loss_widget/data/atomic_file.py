"""A file that is either wholly written or not there: temporary sibling, fsync, rename."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loss_widget.errors import ExportError


@contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """A temporary path in the same folder, which takes the place of `path` when the block ends well.

    Without `overwrite` an existing `path` raises `ExportError`, also one that appears while the block runs.
    """
    if path.exists() and not overwrite:
        raise ExportError(f"Expected a path that is free, found {_kind(path)} at {path}. Pass `overwrite=True` or another name.")
    if not path.parent.is_dir():
        raise ExportError(f"Expected an existing folder, found none at {path.parent}. Create it first.")
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        yield temporary
        _sync(temporary)
        if overwrite:
            if path.is_dir() and temporary.is_dir():
                shutil.rmtree(path)
            os.replace(temporary, path)
        elif temporary.is_dir():
            os.rename(temporary, path)
        else:
            _place(temporary, path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


def _kind(path: Path) -> str:
    return "a directory" if path.is_dir() else "a file"


def _place(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)  # fails where the path exists, unlike a rename
    except FileExistsError:
        raise ExportError(f"Expected a path that is free, found a new file at {path}. Nothing was written.") from None
    except OSError:  # a file system without hard links
        os.rename(temporary, path)


def _sync(path: Path) -> None:
    if path.is_dir():
        return
    with open(path, "rb") as file:
        os.fsync(file.fileno())
