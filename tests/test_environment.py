"""pyproject, constraints, environment.yml and what is installed say the same."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_utils import ratings

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): pin for name, pin in pins}


def requirements() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in extra)]
    found = [Requirement(line) for line in lines]
    return [r for r in found if r.name != PROJECT["name"]]


@pytest.mark.parametrize("requirement", requirements(), ids=lambda r: r.name)
def test_every_requirement_is_bounded_below_and_pinned(requirement):
    bounds = {s.operator for s in requirement.specifier}
    assert ">=" in bounds and bounds <= {">=", "<"}
    assert "<" not in bounds or requirement.name == "jupyter-book"
    pin = constraints()[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(pin)


def test_the_pins_are_what_is_installed():
    for name, pin in constraints().items():
        assert version(name).split("+")[0] == pin, name


def test_carriers_are_pinned_and_installed_without_what_they_need():
    lines = (ROOT / "carriers.txt").read_text().splitlines()
    pins = [line.split("==") for line in lines if not line.startswith("#")]
    assert pins and all(version(name) == pin for name, pin in pins)
    assert "--no-deps --requirement carriers.txt" in (ROOT / "Makefile").read_text()
    assert f"--no-deps recbole=={dict(pins)['recbole']}" in ratings.INSTALL


def test_conda_users_get_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, packages = environment["dependencies"]
    assert python == "python=3.11" and pip == "pip"
    assert packages["pip"] == ["-c constraints.txt", "-e .[dev]"]
    assert PROJECT["requires-python"] == ">=3.11"


def test_the_package_alone_stays_light():
    names = {Requirement(line).name for line in PROJECT["dependencies"]}
    assert not names & {"torch", "tensorflow", "jupyter-book", "jupyterlab"}


def test_ci_calls_what_the_readme_shows():
    readme = (ROOT / "README.md").read_text()
    workflow = "".join(p.read_text() for p in (ROOT / ".github").rglob("*.yml"))
    for command in ("make book", "make test"):
        assert re.search(rf"^\s*{command}\b", readme, re.MULTILINE)
        assert command in (ROOT / ".ci" / "run").read_text()
        assert command in workflow
