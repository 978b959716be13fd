"""The direction of imports in ``course_utils``, its size, and its lightness."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "src" / "course_utils"
MODULES = sorted(FOLDER.glob("*.py"))

# From the ground up: a module imports only from rows above its own.
LAYERS = [
    {
        "checks",
        "detection",
        "footprint",
        "quiet_tensorflow",
        "explorer_live",
        "names",
        "ratings",
        "recorded",
        "words",
    },
    {"dataset", "seed", "reference", "history", "figure"},
    {"originals", "device", "callbacks", "grids", "curves", "marks"},
    {"data", "plots", "models_torch", "models_tf"} | {"explorer_words", "frames"},
    {"explorer_figure", "explorer_spec", "landscapes"},
    {"explorer_page"},
    {"explorer", "surfaces"},
    {"explorer_curves", "explorer_depth", "explorer_maps", "explorer_paths"},
    {"explorers"},
    {"runs"},
    {"run_torch", "run_tf", "rules_torch", "rules_tf", "batched_torch", "settings"},
    {"training_torch", "training_tf", "costs_torch"},
    {"epochs_torch"},
    {"jobs_torch"},
    {"sweep"},
]


def imported(path: Path) -> set[str]:
    """Top-level packages and ``course_utils`` modules that a file imports anywhere."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
            if node.module == "course_utils":
                names |= {f"course_utils.{alias.name}" for alias in node.names}
    return names


def own(path: Path) -> set[str]:
    found = {n for n in imported(path) if n.startswith("course_utils.")}
    return {name.split(".")[1] for name in found}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_imports_point_downwards(path):
    if path.stem == "__init__":
        assert imported(path) == set()
        return
    layer = next(i for i, names in enumerate(LAYERS) if path.stem in names)
    below = set().union(*LAYERS[:layer])
    assert own(path) <= below, f"{path.name} imports upwards or sideways"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_each_framework_stays_on_its_side(path):
    roots = {name.split(".")[0] for name in imported(path)}
    if not path.stem.endswith("_torch") and path.stem != "device":
        assert "torch" not in roots
    if path.stem not in ("quiet_tensorflow", "device"):
        assert not roots & {"tensorflow", "keras"}
    if path.stem.endswith("_torch"):
        assert "quiet_tensorflow" not in own(path)
    assert "matplotlib.pyplot" not in imported(path)


@pytest.mark.parametrize(
    "module", sorted({p.stem for p in MODULES} - {"__init__", "quiet_tensorflow"})
)
def test_importing_brings_in_no_more_than_its_name_says(module):
    code = f"import sys, course_utils.{module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    # A sweep needs PyTorch whatever it is called; it has no twin.
    assert ("torch" in loaded) == (module.endswith("_torch") or module == "sweep")
    assert ("tensorflow" in loaded) == module.endswith("_tf")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 200
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            documented = ast.get_docstring(node, clean=False) or ""
            body = node.end_lineno - node.lineno + 1 - len(documented.splitlines())
            assert body <= 40, f"{path.name}: {node.name} has {body} lines"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.stem)
def test_public_names_are_documented(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name[0] != "_":
            assert ast.get_docstring(node), f"{path.name}: {node.name}"
