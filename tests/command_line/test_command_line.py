"""The command as a whole: its help teaches, its doctor tells, and it starts at once."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import click
import pytest
from installed_command import Run

import loss_widget as lw
from loss_widget.command_line import main
from loss_widget.command_line.doctor import findings


def examples() -> list[str]:
    """The commands in the help of all commands, comments aside."""
    helps = [main.help or "", *(command.help or "" for command in main.commands.values())]
    return [line.split("#")[0].strip() for text in helps for line in re.findall(r"^\s+(loss-widget .*)$", text, re.MULTILINE)]


@pytest.mark.parametrize("example", examples())
def test_each_example_in_the_help_is_a_command(example: str, folder: Path) -> None:
    for name in ("data.csv", "data.jsonl", "test.csv", "scores.parquet", "changes.parquet", ".loss_widget/review-1f2e3d.sqlite"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    _, name, *arguments = shlex.split(example)
    main.commands[name].make_context(name, arguments)


def test_every_command_and_option_is_explained() -> None:
    for name, command in main.commands.items():
        assert command.help, name
        assert command.short_help, name
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, (name, parameter.name)


def test_help_needs_no_heavy_package(loss_widget: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    loaded = set(re.findall(r"\|\s+(\w+)$", loss_widget("--help").stderr, re.MULTILINE))
    assert "click" in loaded
    assert loaded & {"torch", "transformers", "datasets", "pandas", "numpy", "pyarrow", "anywidget", "jupyterlab"} == set()


def test_the_module_is_the_command(loss_widget: Run) -> None:
    assert loss_widget("--version").stdout == f"loss-widget, version {lw.__version__}\n"
    assert "review" in loss_widget("--help").stdout
    assert "No such command 'scoer'" in loss_widget("scoer", code=2).stderr


def test_the_doctor_says_what_is_here(loss_widget: Run, folder: Path) -> None:
    said = loss_widget("doctor").stdout
    assert lw.__version__ in said
    assert Path(said.splitlines()[1]).samefile(sys.executable)
    for about in ("grid", "packages", "host", "notebook", "kernel", "journals", "judging", "processor", "GPU", "bfloat16"):
        assert re.search(rf"^(ok|note) +{about} ", said, re.MULTILINE), about
    assert said.endswith("\nNo problems.\n")
    assert list(folder.iterdir()) == []


def test_the_doctor_names_a_problem_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    from loss_widget.command_line import doctor

    gone = {"jupyterlab_widgets", "torch", "ipykernel"}
    known = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda package: None if package in gone else known(package))
    monkeypatch.setattr(doctor, "_LITTLE_DISK", 1 << 62)
    found = {finding.about: finding for finding in findings()}
    assert [name for name, finding in found.items() if finding.state == "PROBLEM"] == ["widgets", "disk"]
    assert "loss-widget[score]" in found["judging"].advice
    assert "ipykernel" in found["kernel"].advice
    assert all(finding.advice for finding in found.values() if finding.state == "PROBLEM")
