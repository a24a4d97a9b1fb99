"""What the tests of faults do to a process, a disk and a file."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import subprocess
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from loss_widget.errors import LossWidgetError

LONG = os.environ.get("LOSS_WIDGET_TORTURE") == "1"


def tries(short: int, long: int) -> int:
    """How often to try: a few times in CI, many times under `make torture`."""
    return long if LONG else short


class Child:
    """A fork of this process that runs `program(tell)`; what it tells comes through a pipe, also if it is killed."""

    def __init__(self, program: Callable[[Callable[[object], None]], None]) -> None:
        reading, writing = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(reading)
            code = 1
            try:
                program(lambda said: os.write(writing, json.dumps(said).encode() + b"\n") and None)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(writing)
        self._reading = os.fdopen(reading)

    def hear(self) -> object:
        """The next thing it tells."""
        return json.loads(self._reading.readline())

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def end(self) -> list[object]:
        """Wait for its end; all that it told. AssertionError if it ended by itself and not well."""
        told = [json.loads(line) for line in self._reading if line.endswith("\n")]
        self._reading.close()
        self.status = os.waitpid(self.pid, 0)[1]
        assert os.WIFSIGNALED(self.status) or os.WEXITSTATUS(self.status) == 0
        return told

    @property
    def was_killed(self) -> bool:
        return os.WIFSIGNALED(self.status)


def told_by_a_child(program: Callable[[], object]) -> object:
    """What `program` returns in a fork of this process."""
    [told] = Child(lambda tell: tell(program())).end()
    return told


def refusal(act: Callable[[], object]) -> LossWidgetError | None:
    """The error of ours that `act` ends in; None where it goes through."""
    try:
        act()
    except LossWidgetError as error:
        return error
    return None


def killing_at(call: int, function: Callable[..., object]) -> Callable[..., object]:
    """`function`, in place of whose call number `call` its process is killed."""
    calls = iter(range(1, call))

    def counted(*args: object, **named: object) -> object:
        if next(calls, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **named)

    return counted


def obey_permissions() -> None:
    """From now on this process, a child, may only do what the modes of files allow, also as root."""
    if os.geteuid():
        return
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process
    sets = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.capget(header, sets) == 0
    for index in range(3):
        sets[index] &= ~0b1110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
    assert libc.capset(header, sets) == 0


@contextlib.contextmanager
def small_disk(path: Path, kilobytes: int) -> Iterator[bool]:
    """A disk of so many kB at `path` while the block runs; False where this system lets us make none."""
    path.mkdir()
    made = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(path)], capture_output=True
        ).returncode
    )
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", "--lazy", str(path)], check=True)


def limit_files(kilobytes: int) -> None:
    """From now on this process, a child, cannot make any file larger: writes fail, as they do under a quota."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))


class Figures:
    """Counts, added to a JSON file (None: thrown away)."""

    def __init__(self, path: str | None) -> None:
        self._path = path

    def add(self, what: str, **counts: int) -> None:
        if self._path is None:
            return
        file = Path(self._path)
        held = json.loads(file.read_text()) if file.exists() else {}
        held[what] = dict(Counter(held.get(what, {})) + Counter(counts)) | {
            name: held.get(what, {}).get(name, 0) for name, count in counts.items() if not count
        }
        file.write_text(json.dumps(held, indent=1))
