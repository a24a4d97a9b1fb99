"""`loss-widget doctor`: what is installed here, what works, and what to do about the rest."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

import loss_widget

_LITTLE_DISK = 100_000_000
_HOSTS = {
    "COLAB_RELEASE_TAG": "Google Colab",
    "KAGGLE_KERNEL_RUN_TYPE": "Kaggle",
    "DATABRICKS_RUNTIME_VERSION": "Databricks",
    "VSCODE_PID": "VS Code",
    "JUPYTERHUB_USER": "JupyterHub",
    "JPY_PARENT_PID": "Jupyter",
}


@dataclass(frozen=True)
class Finding:
    """One line. `state`: "ok", "note" (something is slower or missing, and may stay so), or "PROBLEM" (something fails)."""

    state: str
    about: str
    found: str
    advice: str = ""


@click.command(short_help="Say what is installed here, and what to do about what does not work.")
@click.option("--fast", is_flag=True, help="Leave out what needs torch, whose import takes seconds.")
def doctor(fast: bool) -> None:
    """Look at this environment and say what works, what does not, and what to do.

    Run it in the environment of your kernel: in a notebook cell, as `!loss-widget doctor`. Paste its output into a bug report: it
    holds versions and folders, no data.

    Exits with 1 if there is a problem.
    """
    python = f"{platform.python_implementation()} {platform.python_version()}"
    click.echo(f"loss_widget {loss_widget.__version__} on {python}, {platform.platform()}")
    click.echo(f"{sys.executable}\n")
    problems = 0
    for finding in findings(fast=fast):
        problems += finding.state == "PROBLEM"
        click.echo(f"{finding.state:8}{finding.about:13}{finding.found}")
        if finding.advice:
            click.echo(f"{'':21}→ {finding.advice}")
    click.echo("\nNo problems." if not problems else f"\n{problems} problem{'s' if problems > 1 else ''}.")
    raise SystemExit(1 if problems else 0)


def findings(*, fast: bool = False) -> Iterator[Finding]:
    """All of them, in the order of a review: see the grid, keep the decisions, judge."""
    yield _front_end()
    yield _packages()
    yield _host()
    yield from _notebook()
    yield _kernel()
    yield from _journals(Path.cwd())
    yield from _judging(fast=fast)


def _front_end() -> Finding:
    static = Path(__file__).parents[1] / "widget" / "static"
    missing = [name for name in ("widget.js", "widget.css") if not (static / name).is_file()]
    if missing:
        return Finding(
            "PROBLEM", "grid", f"{' and '.join(missing)} missing in {static}", "Install the package again, from a wheel."
        )
    return Finding("ok", "grid", f"{(static / 'widget.js').stat().st_size / 1000:.0f} kB of script, served by the kernel")


def _packages() -> Finding:
    names = ("anywidget", "ipywidgets", "numpy", "pandas", "pyarrow")
    missing = [name for name in names if _version(name) is None]
    if missing:
        return Finding("PROBLEM", "packages", f"not installed: {', '.join(missing)}", "pip install --upgrade loss-widget")
    return Finding("ok", "packages", _versions(*names))


def _host() -> Finding:
    host = next((name for variable, name in _HOSTS.items() if os.environ.get(variable)), "")
    if not host:
        return Finding("note", "host", "a terminal", "To see what your notebook has, run `!loss-widget doctor` in a cell.")
    if host in ("Kaggle", "Databricks"):
        return Finding(
            "note", "host", host, "If the grid stays away, restart the session after installing; reviews need widgets."
        )
    return Finding("ok", "host", host)


def _notebook() -> Iterator[Finding]:
    known = _versions("jupyterlab", "notebook", "marimo")
    if not known:
        yield Finding("note", "notebook", "none in this environment", "pip install jupyterlab; or open a notebook elsewhere.")
        return
    yield Finding("ok", "notebook", known)
    lab = _version("jupyterlab") or _version("notebook")
    if lab and _version("jupyterlab_widgets") is None:
        yield Finding("PROBLEM", "widgets", "jupyterlab_widgets is missing beside JupyterLab", "pip install jupyterlab_widgets")
    if _version("jupyterlab") and _major("jupyterlab") < 4:
        yield Finding(
            "PROBLEM", "notebook", f"JupyterLab {_version('jupyterlab')} is too old", "pip install --upgrade 'jupyterlab>=4'"
        )


def _kernel() -> Finding:
    found = _version("ipykernel")
    if found is None:
        return Finding("note", "kernel", "no ipykernel here", "Right for marimo. For Jupyter: pip install ipykernel")
    how = "beside a running cell" if _major("ipykernel") >= 7 else "after a running cell has ended"
    return Finding("ok", "kernel", f"ipykernel {found}: decisions are saved {how}")


def _journals(folder: Path) -> Iterator[Finding]:
    try:
        with tempfile.TemporaryDirectory(prefix=".loss_widget-", dir=folder):
            pass
    except OSError as error:
        yield Finding(
            "PROBLEM",
            "journals",
            f"cannot write in {folder}: {error.strerror}",
            "Start the kernel elsewhere, or pass journal=PATH.",
        )
        return
    there = len(list((folder / ".loss_widget").glob("*.sqlite")))
    yield Finding(
        "ok", "journals", f"{there} in {folder / '.loss_widget'}" if there else f"none yet; they go to {folder / '.loss_widget'}"
    )
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_DISK:
        yield Finding(
            "PROBLEM", "disk", f"{free / 1e6:.0f} MB free", "Free some space: decisions cannot be saved on a full disk."
        )


def _judging(*, fast: bool) -> Iterator[Finding]:
    names = ("torch", "transformers", "datasets", "scikit-learn")
    missing = [name for name in names if _version(name) is None]
    if missing:
        yield Finding(
            "note",
            "judging",
            f"not installed: {', '.join(missing)}",
            "pip install 'loss-widget[score]'. Reviewing works without.",
        )
        return
    yield Finding("ok", "judging", _versions(*names, "accelerate", "ray"))
    if fast:
        return
    from loss_widget.scoring.machine import this_machine

    try:
        machine = this_machine()
    except Exception as error:  # a broken torch raises anything
        yield Finding(
            "PROBLEM", "torch", f"does not import: {error}", "Install torch again, as its own page says for your machine."
        )
        return
    cores = os.cpu_count() or 1
    yield Finding("ok", "processor", f"{cores} cores, {machine.capability}; torch uses {machine.threads} threads")
    if machine.gpus:
        yield Finding("ok", "GPU", ", ".join(machine.gpus))
    elif shutil.which("nvidia-smi") and not machine.cuda_build:
        yield Finding(
            "note", "GPU", f"there is one, but torch {machine.torch} is built without CUDA", "Install a CUDA build of torch."
        )
    else:
        yield Finding("note", "GPU", "none", 'Judging works on the CPU; fine-tuning (train="full") is slow there.')
    yield (
        Finding("ok", "bfloat16", 'in hardware: precision="fast" is faster')
        if machine.bfloat16
        else Finding("note", "bfloat16", 'not in hardware: precision="fast" brings nothing here')
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _versions(*packages: str) -> str:
    return ", ".join(f"{package} {found}" for package in packages if (found := _version(package)))


def _major(package: str) -> int:
    return int((_version(package) or "0").split(".")[0])
