"""How Sphinx builds these pages: ``make docs``. Nothing here needs the network."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

import sklearn_latent

project = "sklearn_latent"
author = "The sklearn_latent developers"
copyright = author
version = release = sklearn_latent.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]

# `name` links to what has that name, and is code where nothing has.
default_role = "py:obj"
rst_prolog = ".. py:currentmodule:: sklearn_latent\n"
smartquotes = False  # quotes are often code
add_module_names = False
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # numpydoc's sections say the types in words

autosummary_generate = True
numpydoc_show_class_members = False  # autodoc lists the methods
numpydoc_validation_checks = {
    "all",
    "GL01",  # the summary is on the first line, as everywhere in this package
    "ES01",  # not everything needs an extended summary,
    "SA01",  # "See Also",
    "EX01",  # or an example
    "RT02",  # `self` has a name in "Returns", as in scikit-learn
    "SA02",  # a question may describe a function
    "SS03",  # and be its summary,
    "SS05",  # which may begin with "Names"
}
# What one half of a translation offers to InverseRelativeTranslator

sphinx_gallery_conf = {
    "examples_dirs": "../examples/gallery",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "/plot_",
    "within_subsection_order": "ExampleTitleSortKey",
    "doc_module": ("sklearn_latent",),
    "backreferences_dir": "generated/backreferences",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "min_reported_time": 1e9,
    "plot_gallery": True,
    "abort_on_example_error": True,
}

html_theme = "pydata_sphinx_theme"
html_title = f"sklearn_latent {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "sklearn_latent"},
    "navigation_with_keys": False,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "secondary_sidebar_items": ["page-toc"],
}
html_sidebars = {"install": [], "api": [], "development": [], "architecture": []}


def public_names() -> Iterator[str]:
    """Every name in the ``__all__`` of the package and of its modules, less the package's own."""
    modules = [sklearn_latent.__name__]
    for module in pkgutil.walk_packages(sklearn_latent.__path__, sklearn_latent.__name__ + "."):
        private = any(part.startswith("_") for part in module.name.split("."))
        if not private and not module.name.endswith(".conftest"):
            modules.append(module.name)
    for module_name in modules:
        for name in getattr(importlib.import_module(module_name), "__all__", ()):
            yield f"{module_name}.{name}".removeprefix(sklearn_latent.__name__ + ".")


def missing_from_api_page() -> list[str]:
    """Public names that ``api.rst`` does not list."""
    listed = set((Path(__file__).parent / "api.rst").read_text(encoding="utf-8").split())
    return [name for name in public_names() if name not in listed]


def check_api_page(app: Any) -> None:
    """Stop the build where a public name is not on the API page."""
    from sphinx.errors import ConfigError  # the tests read this file without Sphinx

    missing = missing_from_api_page()
    if missing:
        raise ConfigError(f"Public names that docs/api.rst lacks: {', '.join(missing)}. Add them.")


def use_one_thread(app: Any) -> None:
    """Matrices as small as the gallery's lose by more threads, much so on a busy machine."""
    threadpool_limits(1)


def escape_markup(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Read neither a shape such as ``(n_features_in_,)`` as a link nor an initial as a list."""
    for i, line in enumerate(lines):
        line = re.sub(r"^(\s*\.\. \[[^]]+\] [A-Z])\. ", r"\1\\. ", line)
        lines[i] = re.sub(
            r"\([^()`]*\)", lambda shape: re.sub(r"(?<=\w)_(?=[,)])", r"\\_", shape[0]), line
        )


def skip_inherited_from_sklearn(
    app: Any, what: str, name: str, obj: Any, skip: bool, options: Any
) -> bool | None:
    """Leave out scikit-learn's own methods, and properties that "Attributes" describes."""
    foreign = (getattr(obj, "__module__", None) or "").startswith("sklearn.")
    return True if foreign or (what == "class" and isinstance(obj, property)) else None


def setup(app: Any) -> None:
    """Connect the above."""
    app.connect("builder-inited", check_api_page)
    app.connect("builder-inited", use_one_thread)
    # after numpydoc, whose priority is the default of 500
    app.connect("autodoc-process-docstring", escape_markup, priority=600)
    app.connect("autodoc-skip-member", skip_inherited_from_sklearn)
