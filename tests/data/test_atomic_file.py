"""A file or a directory takes the place of another wholly or not at all, and nothing is lost when a step of it fails."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from loss_widget.data import atomic_file
from loss_widget.data.atomic_file import recover, replacing
from loss_widget.errors import ExportError


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["exchange", "two renames"])
def way(request, monkeypatch):
    """Both ways to replace a directory: in one step, and where the file system cannot do that."""
    if request.param == "two renames":
        monkeypatch.setattr(atomic_file, "_exchanged", lambda one, other: False)


def make(path: Path, content: str) -> None:
    path.mkdir()
    (path / "data").write_text(content)


def left() -> list[str]:
    return sorted(p.name for p in Path().iterdir())


@pytest.mark.usefixtures("way")
def test_a_directory_is_replaced_and_nothing_stays_beside_it():
    make(Path("set"), "old")
    with replacing(Path("set"), overwrite=True) as temporary:
        make(temporary, "new")
    assert Path("set/data").read_text() == "new"
    assert left() == ["set"]


@pytest.mark.usefixtures("way")
def test_a_directory_that_cannot_be_removed_costs_nothing_but_its_room(monkeypatch):
    make(Path("set"), "old")
    real = shutil.rmtree

    def refuses(path, *args, **named):
        if str(path).endswith(".old"):
            raise PermissionError("in use")
        real(path, *args, **named)

    monkeypatch.setattr(shutil, "rmtree", refuses)
    with (
        pytest.warns(UserWarning, match=r"set was replaced, .* in use\. Delete \.set\.[0-9a-f]{8}\.old"),
        replacing(Path("set"), overwrite=True) as temporary,
    ):
        make(temporary, "new")
    assert Path("set/data").read_text() == "new"
    [aside] = Path().glob(".set.*.old")
    assert (aside / "data").read_text() == "old"


def test_a_rename_that_fails_puts_the_old_directory_back(monkeypatch):
    monkeypatch.setattr(atomic_file, "_exchanged", lambda one, other: False)
    make(Path("set"), "old")
    real = os.rename

    def refuses(source, target):
        if str(source).endswith(".tmp"):
            raise OSError("disk gone")
        real(source, target)

    monkeypatch.setattr(os, "rename", refuses)
    with pytest.raises(OSError, match="disk gone"), replacing(Path("set"), overwrite=True) as temporary:
        make(temporary, "new")
    assert Path("set/data").read_text() == "old"
    assert left() == ["set"]


def test_what_a_killed_process_left_is_put_back_or_removed():
    make(Path(".set.0123abcd.old"), "old")
    recover(Path("set"))
    assert Path("set/data").read_text() == "old"
    make(Path(".set.0123abcd.old"), "older")
    make(Path(".set.4567abcd.tmp"), "being written")
    make(Path(".set.89ababcd.tmp"), "abandoned")
    os.utime(".set.89ababcd.tmp", (0, time.time() - 2 * 86_400))
    for name in (".set.old", ".set.zzzzzzzz.old", ".other.0123abcd.old"):
        make(Path(name), "not ours")
    recover(Path("set"))
    assert Path("set/data").read_text() == "old"
    assert left() == sorted([".other.0123abcd.old", ".set.4567abcd.tmp", ".set.old", ".set.zzzzzzzz.old", "set"])


def test_a_path_that_is_taken_in_the_meantime_is_never_written_over():
    def too_late(make_new):
        with replacing(Path("out"), overwrite=False) as temporary:
            make_new(temporary)
            Path("out").write_text("theirs")

    for make_new in (lambda p: p.write_text("new"), lambda p: make(p, "new")):
        with pytest.raises(ExportError, match="that is new at out"):
            too_late(make_new)
        assert Path("out").read_text() == "theirs"
        Path("out").unlink()
    os.symlink("nowhere", "link")
    with pytest.raises(ExportError, match="a file at link"), replacing(Path("link"), overwrite=False):
        pass
