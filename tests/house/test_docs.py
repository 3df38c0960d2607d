"""The pages say what the program says: generated parts are current, links lead somewhere, nothing is left out."""

import importlib
import importlib.util
import pkgutil
import re
from itertools import chain

import pytest
import typer

import recontool
from recontool.cli import command_line
from recontool.model.catalogue import CATALOGUE
from recontool.model.errors import ReconError
from recontool.model.events import EVENTS
from recontool.model.settings import SETTINGS

LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def generate(root):
    spec = importlib.util.spec_from_file_location("generate", root / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pages(root):
    return [*root.glob("*.md"), *(page for folder in FOLDERS for page in (root / folder).glob("*.md"))]


FOLDERS = ("docs", "bench", "sample_logs", "reports")


def test_generated_parts_are_current(generate):
    stale = [
        page.name for page in generate.PAGES if generate.renewed(page.read_text("utf-8")) != page.read_text("utf-8")
    ]
    assert stale == [], "write them anew with: make docs"
    assert generate.TABLE.read_text("utf-8") == generate.vocabulary({}).decode(), "write it anew with: make docs"


def test_every_part_stands_on_a_page(generate):
    used = set(chain.from_iterable(generate.PART.findall(page.read_text("utf-8")) for page in generate.PAGES))
    assert {name for _, name, _ in used} == set(generate.PARTS)


def test_every_relative_link_leads_somewhere(root):
    broken = []
    for page in pages(root):
        for target in LINK.findall(page.read_text("utf-8")):
            path, _, anchor = target.partition("#")
            aim = (page.parent / path).resolve() if path else page
            if "://" not in target and not (aim.exists() and (not anchor or anchor in anchors(aim))):
                broken.append(f"{page.relative_to(root)}: {target}")
    assert broken == []


def anchors(page):
    titles = HEADING.findall(page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_error_has_its_section(root):
    for module in pkgutil.walk_packages(recontool.__path__, "recontool."):
        if module.name.endswith("._core"):
            continue  # plain C, no module
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds, found = [ReconError], {ReconError}
    while kinds:
        fresh = set(kinds.pop().__subclasses__()) - found
        found |= fresh
        kinds += fresh
    assert {kind.slug for kind in found} <= anchors(root / "docs" / "messages.md")


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("metrics.md", list(CATALOGUE)),
        ("log-format.md", sorted({spec.name for spec in EVENTS})),
        ("settings.md", [setting.flag for setting in SETTINGS]),
    ],
)
def test_page_names_all(root, page, names):
    text = (root / "docs" / page).read_text("utf-8")
    assert [name for name in names if f"`{name}`" not in text] == []


def test_readme_and_commands_page_name_every_command(root):
    commands = set(typer.main.get_command(command_line()).commands)
    readme = set(re.findall(r"^\| `recontool ([a-z-]+)", (root / "README.md").read_text("utf-8"), re.MULTILINE))
    page = set(
        re.findall(r"^## recontool ([a-z-]+)$", (root / "docs" / "commands.md").read_text("utf-8"), re.MULTILINE)
    )
    assert readme == commands
    assert page == commands


def test_make_help_lists_every_target_that_pages_name(root):
    targets = set(re.findall(r"^([a-z]+):.*##", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        name
        for page in pages(root)
        for name in re.findall(r"(?:`|^    )make ([a-z]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert named
    assert named <= targets
