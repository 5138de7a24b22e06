"""The documentation's code runs, and its pages name all that is there."""

import doctest
import re
import runpy
import sys
import types
from pathlib import Path

import pytest

import sklearn_latent

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {
    str(path.relative_to(DOCS)): path.read_text(encoding="utf-8")
    for folder in (DOCS, DOCS / "user_guide")
    for path in sorted(folder.glob("*.rst"))
    if path.name != "sg_execution_times.rst"
}
PAGES_WITH_CODE = [name for name, text in PAGES.items() if ">>>" in text]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_pages_are_found():
    assert {"index.rst", "architecture.rst", "user_guide/quickstart.rst"} <= set(PAGES_WITH_CODE)


@pytest.mark.parametrize("page", PAGES_WITH_CODE)
def test_code_runs(page, monkeypatch):
    text = PAGES[page]
    for library in ("torch", "dask"):
        if f"import {library}" in text:
            pytest.importorskip(library)
    module = types.ModuleType("page")  # where pickle finds the page's classes
    monkeypatch.setitem(sys.modules, "page", module)
    test = doctest.DocTestParser().get_doctest(text, {}, page, str(DOCS / page), 0)
    test.globs = vars(module)
    report = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert result.failed == 0, "".join(report)


@pytest.mark.parametrize("page", PAGES)
def test_no_python_is_left_unrun(page):
    assert not re.search(r"code-block:: *(python|pycon|ipython)|::python", PAGES[page])


def test_api_page_lists_every_public_name():
    missing = runpy.run_path(str(DOCS / "conf.py"))["missing_from_api_page"]()
    assert missing == [], f"Add to docs/api.rst: {', '.join(missing)}"


def test_architecture_page_names_every_module():
    root = Path(sklearn_latent.__file__).parent
    modules = {
        path.relative_to(root).parts[0] for path in root.rglob("*.py") if path.name != "conftest.py"
    }
    missing = {name for name in modules if name not in PAGES["architecture.rst"]}
    assert missing == set(), f"Add to docs/architecture.rst: {', '.join(sorted(missing))}"
