"""The pages: their commands parse, their links lead somewhere, and the flags, files and modules they name exist."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from model import checkpoints, evaluate, exporting, jax_train, metrics_log, run_config, saved_model, train
from pipelines import flags
from pipelines.archive import lease, manifest, record_files
from pipelines.dataset import prepare_photos
from pipelines.dataset.sharding import PARTITIONS_FILE
from pipelines.images import formats
from pipelines.runtime import outcomes, runners
from pipelines.viewer import html
from tfrecords import description

ROOT = Path(__file__).parents[2]
FOLDERS = ("deploy", "docs", "model", "pipelines", "tests", "tfrecords")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
PARSERS = {**flags.PARSERS, "train": train.parser, "evaluate": evaluate.parser, "export": exporting.parser}
WITH_BEAM_FLAGS = ("prepare", "colorize", "plan")
PACKAGES = ("pipelines", "model", "tfrecords", "autochrome")
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def code(page: Path) -> str:
    """The indented code blocks of a page, lines that go on joined."""
    blocks = "\n".join(line for line in page.read_text().splitlines() if line.startswith("    "))
    return re.sub(r"\\\n\s*", "", blocks)


def inline(page: Path) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", page.read_text())


def commands(page: Path, program: str) -> list[list[str]]:
    """The words of every command of a program in the page's code blocks."""
    lines = map(str.strip, code(page).splitlines())
    return [shlex.split(line, comments=True) for line in lines if line.startswith(f"{program} ")]


def slugs(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ +(.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def known_flags() -> set[str]:
    """Flags of our commands and of Beam, and of the programs that our scripts, templates and tests call."""
    ours = {name for make in PARSERS.values() for action in make()._actions for name in action.option_strings}
    beam = {f"--{name}" for name in PipelineOptions().get_all_options(drop_default=False)}
    texts = [ROOT / "Makefile", *(path for folder in ("deploy", "tests") for path in (ROOT / folder).rglob("*"))]
    read = (path.read_text() for path in texts if path.suffix in ("", ".py", ".sh", ".yaml", ".tf") and path.is_file())
    return ours | beam | {flag for text in read for flag in re.findall(r"--[a-z][\w-]+", text)}


def test_all_pages_are_looked_at():
    names = {str(page.relative_to(ROOT)) for page in PAGES}
    assert {"README.md", "docs/laptop.md", "deploy/dataflow.md", "model/released/README.md"} <= names


@every_page
def test_our_commands_have_our_flags(page):
    for _, command, *given in commands(page, "autochrome"):
        _, others = PARSERS[command]().parse_known_args(given)
        if command in WITH_BEAM_FLAGS:
            runners.beam_options(others)
        else:
            assert not others


@every_page
def test_training_with_jax_has_its_flags(page):
    for words in commands(page, "python -m model.jax_train"):
        jax_train.parser().parse_args(words[3:])


@every_page
def test_launches_have_the_parameters_of_their_template(page):
    for words in commands(page, "gcloud dataflow flex-template run"):
        options = dict(word.removeprefix("--").split("=", 1) for word in words if "=" in word)
        template = re.sub(r"-[^-]*$", "", Path(options["template-file-gcs-location"]).stem)
        declared = json.loads((page.parent / "dataflow" / f"{template}.json").read_text())["parameters"]
        given = dict(pair.split("=", 1) for pair in options["parameters"].split(","))
        assert set(given) <= {one["name"] for one in declared}
        assert {one["name"] for one in declared if not one["isOptional"]} <= set(given)


@every_page
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)", page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in slugs(target), link


@every_page
def test_flags_that_are_named_exist(page):
    called = {word.partition("=")[0] for words in commands(page, "gcloud") for word in words if word.startswith("--")}
    ours = (text for text in inline(page) if text.startswith(("--", "autochrome")))  # not those of other programs
    named = {flag for text in ours for flag in re.findall(r"(?<![\w-])--[a-z][\w-]+", text)}
    assert named <= known_flags() | called


@every_page
def test_files_and_modules_that_are_named_exist(page):
    for text in inline(page):
        if re.fullmatch(rf"(?:{'|'.join(FOLDERS)})(?:/[\w.-]+)*/?", text) and "/" in text:
            assert (ROOT / text).exists(), text
        if re.fullmatch(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+", text) and not text.endswith(".json"):
            assert is_defined(text), text


@every_page
def test_constants_that_are_named_are_where_a_page_says(page):
    for name, path in re.findall(r"`(\w+)` in `([\w/]+\.py)`", page.read_text()):
        assert re.search(rf"\b{name}\b", (ROOT / path).read_text()), name


def is_defined(name: str) -> bool:
    """Whether a dotted name is a module, or is defined or imported in one, methods and fields not looked at."""
    folder, rest = ROOT, name.split(".")
    while rest and (folder / rest[0]).is_dir():
        folder /= rest.pop(0)
    file = folder / "__init__.py"
    if rest and (folder / f"{rest[0]}.py").exists():
        file = folder / f"{rest.pop(0)}.py"
    if not file.exists() or not rest:
        return file.exists()
    return rest[0] in set(names_in(ast.parse(file.read_text())))


def names_in(module: ast.Module) -> Iterator[str]:
    """Yields the names that a module defines or imports."""
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (one.asname or one.name for one in names)


@every_page
def test_makefile_targets_that_are_named_exist(page):
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = [words[1] for words in commands(page, "make")]
    called += [word for text in inline(page) for word in re.findall(r"^make ([a-z0-9-]+)", text)]
    assert set(called) <= targets


@every_page
def test_scripts_that_are_called_have_their_flags(page):
    calls = [*commands(page, "python"), *(shlex.split(text) for text in inline(page) if text.startswith("python "))]
    for _, first, *rest in calls:
        if first == "-m":
            module = rest[0]
            assert not module.startswith(PACKAGES) or is_defined(module), module
        else:
            script = (ROOT / first).read_text()
            assert all(f'"{word.partition("=")[0]}"' in script for word in rest if word.startswith("--")), first


@every_page
def test_python_in_code_blocks_is_python(page):
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", page.read_text() + "\n", re.MULTILINE):
        text = re.sub(r"^    ", "", block, flags=re.MULTILINE)
        if re.match(r"\s*(?:import|from) \w", text):
            imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
            names = [f"{node.module}.{name.name}" for node in imports for name in node.names]
            assert all(is_defined(name) for name in names if name.startswith(PACKAGES)), names


def test_every_format_that_is_read_is_listed():
    named = set(inline(ROOT / "docs" / "formats.md"))
    assert set(formats.READ) <= named
    assert set(formats._NOT_READ.values()) <= named


def test_every_file_that_a_command_writes_is_in_the_table():
    written = {
        prepare_photos.CLAIM_FILE,
        PARTITIONS_FILE,
        description.FILE_NAME,
        outcomes.REJECTED_FILE,
        flags.SAMPLE_FILE,
        saved_model.RECORD,
    }
    written |= {
        manifest.REPORT_FILE,
        manifest.RUNS_FILE,
        manifest.JOURNAL,
        manifest.LAST_RUN_FILE,
        record_files.INDEX_FILE,
    }
    written |= {lease.FILE, html.FILE, run_config.CONFIG_FILE, metrics_log.METRICS_FILE, checkpoints.CHECKPOINTS}
    table = (ROOT / "ARCHITECTURE.md").read_text().partition("## Files on disk")[2].partition("## ")[0]
    assert not [name for name in written if name not in table]


def test_the_gallery_shows_every_picture_that_the_script_makes():
    gallery, script = ROOT / "docs" / "gallery", (ROOT / "deploy" / "gallery.py").read_text()
    pictures = {path.stem for path in gallery.glob("*.jpg")}
    assert set(re.findall(r"\((\w+)\.jpg\)", (gallery / "README.md").read_text())) == pictures
    assert all(f'"{name}"' in script for name in pictures)
    assert len(pictures) == 12
    assert all(path.stat().st_size < 60_000 for path in gallery.glob("*.jpg"))


def test_the_readme_stays_short():
    assert len((ROOT / "README.md").read_text().split()) < 700
