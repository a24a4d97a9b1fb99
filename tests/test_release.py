"""The files around a release agree with each other and with the package."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import loss_widget

ROOT = Path(__file__).parents[1]
REPOSITORY, SITE = "github.com/loss-widget/loss-widget", "loss-widget.github.io/loss-widget"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def texts() -> dict[str, str]:
    """Every text file that git knows, by its path."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    kept = [path for path in listed if Path(path).suffix in (".md", ".toml", ".yml", ".yaml", ".cff", ".py", ".txt", "")]
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in kept if (ROOT / path).is_file()}


def test_one_version_everywhere() -> None:
    version = re.escape(loss_widget.__version__)
    assert re.search(rf"^version: {version}$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    recipe = (ROOT / "packaging" / "conda-forge" / "recipe.yaml").read_text(encoding="utf-8")
    assert re.search(rf'^  version: "{version}"$', recipe, re.MULTILINE)
    assert re.search(rf"^## {version} \(", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_conda_recipe_asks_for_what_pyproject_asks_for() -> None:
    recipe = (ROOT / "packaging" / "conda-forge" / "recipe.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"^    - ([a-z]\S* [<>=]\S*)$", recipe.split("  run:")[1].split("run_constraints")[0], re.MULTILINE))
    wanted = {re.sub(r"^([\w-]+)", r"\1 ", need) for need in PROJECT["dependencies"]}
    assert asked == wanted


@pytest.mark.parametrize("address", [REPOSITORY, SITE])
def test_one_address_everywhere(address: str) -> None:
    """So that another name is one search and replace."""
    owner = re.compile(r"(?:github\.com|raw\.githubusercontent\.com)/([\w-]+/loss[-_]widget)\b|\b([\w-]+\.github\.io/[\w-]+)")
    named = {found for text in texts().values() for pair in owner.findall(text) for found in pair if found}
    assert named == {REPOSITORY.removeprefix("github.com/"), SITE}
    assert any(address in url for url in PROJECT["urls"].values())


def test_every_python_that_is_promised_is_tested() -> None:
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    tested = re.search(r"^ +python: \[(.*)\]$", workflow, re.MULTILINE)
    assert tested is not None
    assert re.findall(r"[\d.]+", tested[1]) == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"


def test_workflows_are_yaml_and_run_what_is_there() -> None:
    yaml = pytest.importorskip("yaml")
    for path in sorted((ROOT / ".github").rglob("*.yml")):
        text = path.read_text(encoding="utf-8")
        assert yaml.safe_load(text), path.name
        for script in re.findall(r"run: (\.ci/\S+)", text):
            assert (ROOT / script).is_file(), script
        for folder in re.findall(r"\btests/\S+", text):
            assert (ROOT / folder).exists() or folder == "tests/anywhere", folder
