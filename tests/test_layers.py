"""Imports go down only."""

import ast
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import sklearn_latent

# From the bottom up: a module imports from lower layers alone, and from its own folder.
LAYERS = [
    {"_array", "_callbacks", "_npy", "_version", "exceptions"},
    {"_affine_map", "_cross_sums", "_device", "_host", "_second_moments", "_validation", "anchors"},
    {"_moments"},
    {"_kernels", "_scaling", "distributed"},
    {"_fit_blocks", "_solved_on_use", "solvers"},
    {"_base"},
    {"_linear_base"},
    {"_orthogonal_base", "_regularized"},
    {
        "baselines",
        "gradient",
        "kernel",
        "linear",
        "mlp",
        "orthogonal",
        "preprocessing",
        "relative",
        "ridge",
    },
    {"compose", "icp", "inverse_relative"},  # estimators made of estimators
    {"metrics", "stitching", "streaming"},
    {"inspection"},
    {"__init__"},
]
LEVELS = {name: level for level, layer in enumerate(LAYERS) for name in layer}
CORE = {"array_api_compat", "joblib", "numpy", "scipy", "sklearn"}

PACKAGE = "sklearn_latent"
ROOT = Path(sklearn_latent.__file__).parent


class Import(NamedTuple):
    """One imported module, by its full name, and whether importing the file imports it."""

    target: str
    line: int
    at_once: bool


def module_name(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    module_name(path): path for path in sorted(ROOT.rglob("*.py")) if path.name != "conftest.py"
}


def unit(module):
    """The file or folder of the package that a module belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def import_statements(node, at_once=True):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, at_once
        else:
            deferred = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            yield from import_statements(child, at_once and not deferred and not for_types)


def imports_of(source, folder):
    """Imports of a file in a (sub)package named `folder`."""
    for statement, at_once in import_statements(ast.parse(source)):
        if isinstance(statement, ast.Import):
            targets = [alias.name for alias in statement.names]
        else:
            parents = folder.split(".")[: len(folder.split(".")) + 1 - statement.level]
            base = ".".join((parents if statement.level else []) + (statement.module or "").split())
            members = [f"{base}.{alias.name}" for alias in statement.names]
            targets = [member if member in MODULES else base for member in members]
        yield from (Import(target, statement.lineno, at_once) for target in targets)


IMPORTS = {
    module: list(imports_of(path.read_text("utf-8"), module_name(path.parent / "__init__.py")))
    for module, path in MODULES.items()
}
every_module = pytest.mark.parametrize("module", MODULES)


def top(name):
    return name.split(".")[0]


def test_imports_are_found_and_resolved():
    source = """
import torch.nn as nn
from .._array import Array
from . import rank
from sklearn_latent._base import BaseTranslator
try:
    from scipy import linalg
except ImportError:
    def later():
        import dask
if TYPE_CHECKING:
    import cupy
"""
    assert list(imports_of(source, "sklearn_latent.solvers")) == [
        ("torch.nn", 2, True),
        ("sklearn_latent._array", 3, True),
        ("sklearn_latent.solvers.rank", 4, True),
        ("sklearn_latent._base", 5, True),
        ("scipy", 7, True),
        ("dask", 10, False),
        ("cupy", 12, False),
    ]


def test_all_modules_are_seen():
    assert {"sklearn_latent", "sklearn_latent._base", "sklearn_latent.solvers.rank"} <= set(MODULES)
    assert "sklearn_latent._array" in [found.target for found in IMPORTS["sklearn_latent._base"]]


@every_module
def test_module_has_a_level(module):
    assert unit(module) in LEVELS, (
        f"{module} has no level: add {unit(module)!r} to LAYERS in tests/test_layers.py, above all "
        "that it imports and below all that imports it."
    )


def test_every_level_has_its_module():
    assert set(LEVELS) == {unit(module) for module in MODULES}


@every_module
def test_imports_go_down_only(module):
    own = unit(module)
    level = LEVELS.get(own, -1)
    upwards = [
        f"line {found.line}: {found.target}"
        for found in IMPORTS[module]
        if top(found.target) == PACKAGE
        and unit(found.target) != own
        and LEVELS.get(unit(found.target), len(LAYERS)) >= level
    ]
    assert upwards == [], f"{module} is on level {level} and imports what is not below it"


@every_module
def test_imports_within_a_folder_have_no_circle(module):
    def reached_from(name, path):
        for found in IMPORTS.get(name, []):
            if top(found.target) == PACKAGE:
                assert found.target not in path, " → ".join([*path, found.target])
                reached_from(found.target, [*path, found.target])

    reached_from(module, [module])


@every_module
def test_only_array_knows_array_libraries(module):
    known = {top(found.target) for found in IMPORTS[module]}
    if module != "sklearn_latent._array":
        assert "array_api_compat" not in known
    else:
        assert "array_api_compat" in known


@every_module
def test_importing_needs_the_core_dependencies_alone(module):
    needed = {top(found.target) for found in IMPORTS[module] if found.at_once}
    assert needed - CORE - set(sys.stdlib_module_names) - {PACKAGE} == set()


@pytest.mark.parametrize("module", [name for name in MODULES if unit(name) == "solvers"])
def test_solvers_are_pure_mathematics(module):
    assert "sklearn" not in {top(found.target) for found in IMPORTS[module]}
