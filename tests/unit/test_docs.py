"""docs/, held against the code: a page a command, its usage, links, variables, examples, the named differences."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from signal import Signals

import pytest
from conformance.scenario import all_scenarios
from container.test_pages import PAGES as typed_pages

from pyinit import tai
from pyinit.__main__ import commands
from pyinit.formats import control, status, wire

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted((DOCS / "commands").glob("*.md"))
DOCUMENTS = sorted(DOCS.rglob("*.md"))
OTHERS = sorted({*ROOT.glob("*.md"), *ROOT.glob("benchmarks/results/*.md"), *ROOT.glob("tests/*.md")})
USED = [*OTHERS, *(page for page in DOCUMENTS if "reference" not in page.parts)]
"""Pages that tell of commands; `reference` tells of files."""

ASKED_BY = {"pyinit": ["--help"], "svc": ["-?"], "svlog": ["-?"], "softlimit": ["-?"], "setlock": ["-?"]}
"""What makes a command print its usage; others do when they are called without arguments."""

SILENT = {"multilog", "readproctitle", "svscan", "svscanboot", "svstat", "tai64n", "tai64nlocal"}
"""They have no usage message: what they take is in the first line of the module's docstring, for svc as well."""

FIRST, LAST = ["NAME", "SYNOPSIS", "DESCRIPTION"], ["EXAMPLES", "SEE ALSO"]


def name_of(path: Path) -> str:
    return str(path.relative_to(DOCS))


def sections(page: Path) -> dict[str, str]:
    title, *rest = page.read_text().split("\n## ")
    assert title == f"# {page.stem}\n"
    return {heading: text for heading, _, text in (part.partition("\n") for part in rest)}


def words(text: str) -> str:
    return " ".join(text.split())


def usage(name: str) -> str:
    """What the command itself says it takes."""
    said = []
    if name in SILENT or name == "svc":
        docstring = import_module(f"pyinit.commands.{name}").__doc__ or ""
        said += re.findall(rf"^({name}\b[^:]*):", docstring, re.MULTILINE)
    if name not in SILENT:
        line = [sys.executable, "-m", "pyinit", name, *ASKED_BY.get(name, [])]
        done = subprocess.run(line, cwd=ROOT, capture_output=True, check=False, text=True, stdin=subprocess.DEVNULL)
        output = [text for text in (done.stdout + done.stderr).splitlines(True) if ": illegal option" not in text]
        said.append("".join(output).removeprefix(f"{name}: ").removeprefix("usage: "))
    return words("\n".join(said))


def prose(text: str) -> str:
    """The text without its code, which may look like links."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`", "", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_command_has_a_page_and_every_page_a_command() -> None:
    assert sorted(page.stem for page in PAGES) == commands()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_has_its_sections(page: Path) -> None:
    found = sections(page)
    names = list(found)
    assert names[:3] == FIRST
    assert names[-2:] == LAST
    assert "EXIT STATUS" in names
    assert ("BEYOND THE C PROGRAM" in names) == (page.stem not in ("pyinit", "svlog"))
    assert re.fullmatch(rf"\n{page.stem} - [^\n]+\n", found["NAME"])
    assert all(text.strip() for text in found.values())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_synopsis_is_what_the_command_says(page: Path) -> None:
    assert words(sections(page)["SYNOPSIS"]) == usage(page.stem)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_options_are_the_synopsis_options(page: Path) -> None:
    """Where there is a list of options it names those of the usage, each once."""
    found = sections(page)
    listed = re.findall(r"^- `-(\w)`", found.get("OPTIONS", ""), re.MULTILINE)
    if not listed:
        assert "OPTIONS" not in found
        return
    synopsis = found["SYNOPSIS"]
    letters = (
        re.findall(r"\[-(\w)[] ]", synopsis)
        or re.findall(r"[,:]\s+(\w) \w", synopsis)
        or re.findall(r"[nNxX]", synopsis)
    )
    assert sorted(listed) == sorted(dict.fromkeys(letters))


@pytest.mark.parametrize("document", [*DOCUMENTS, *OTHERS], ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)\s]*)\)", prose(document.read_text())):
        file = (document.parent / target).resolve() if target else document
        if target.startswith("https://"):
            continue
        assert file.exists(), target
        assert DOCS.parent in file.parents
        assert not anchor or anchor in anchors(file.read_text()), f"{target}#{anchor}"


@pytest.mark.parametrize("document", USED, ids=lambda path: str(path.relative_to(ROOT)))
def test_options_that_a_page_names_exist(document: Path) -> None:
    """Of `svc -d NAME` and the like, the letters and words are in the synopsis of the command."""
    ours = re.compile(rf"`(?:docker exec \S+ )?({'|'.join(commands())})((?: -{{1,2}}[\w-]+(?: \d+)?)+)")
    for name, given in ours.findall(document.read_text()):
        known = sections(DOCS / f"commands/{name}.md")["SYNOPSIS"] + " --help --version"
        for option in re.findall(r"-{1,2}\w[\w-]*", given):
            for letter in [option] if option.startswith("--") else option[1:]:
                shown = letter if option.startswith("--") else f"-{letter}"
                is_known = rf"(?<![\w-]){shown}\b|[, :]{letter} \w|\[ -\w*{letter}"
                assert re.search(is_known, known), f"{name} {option}"


@pytest.mark.parametrize("document", [*DOCUMENTS, *OTHERS], ids=lambda path: str(path.relative_to(ROOT)))
def test_targets_and_files_that_a_page_names_exist(document: Path) -> None:
    text = document.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for words in re.findall(r"`make ([^`]+)`|^    make (\w+)", text, re.MULTILINE):
        assert {word for word in "".join(words).split() if word.isalpha()} <= targets
    for name in re.findall(r"`((?:tools|tests|images|benchmarks|pyinit|bin)/[\w./-]+)`", text):
        assert (ROOT / name).exists(), name


def test_every_document_can_be_found() -> None:
    index = (DOCS / "README.md").read_text()
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#]+)", index)}
    assert linked == {document.resolve() for document in DOCUMENTS} - {DOCS / "README.md"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_variables_exist(document: Path) -> None:
    source = "".join(path.read_text() for path in (ROOT / "pyinit").rglob("*.py"))
    exists = set(re.findall(r"\b(?:PYINIT|TINI|DUMB_INIT)_[A-Z_]+\b", source))
    assert set(re.findall(r"\b(?:PYINIT|TINI|DUMB_INIT)_[A-Z_]+\b", document.read_text())) <= exists


def test_every_variable_of_process_1_is_on_its_page() -> None:
    source = "".join(path.read_text() for path in (ROOT / "pyinit").rglob("*.py"))
    page = (DOCS / "commands/pyinit.md").read_text()
    assert set(re.findall(r"\bPYINIT_[A-Z_]+\b", source)) == set(re.findall(r"\bPYINIT_[A-Z_]+\b", page))


def test_every_page_with_a_session_is_typed() -> None:
    """By the container tests: what a page shows after `$ ` is what comes."""
    shown = {path for path in [*DOCUMENTS, *OTHERS] if "```console" in path.read_text()} - {ROOT / "tests/README.md"}
    assert shown == {ROOT / page.path for page in typed_pages}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_shell_examples_are_shell(document: Path) -> None:
    for script in re.findall(r"^```sh\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL):
        done = subprocess.run(["/bin/sh", "-n"], input=script, text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"{script}{done.stderr}"


def test_the_differences_are_those_the_conformance_suite_names() -> None:
    page = (DOCS / "differences.md").read_text()
    listed = re.findall(r"^- (.+)$", page.partition("## What the conformance suite names")[2], re.MULTILINE)
    assert sorted(listed) == sorted({scenario.why for scenario in all_scenarios() if scenario.differs})


def test_the_formats_examples() -> None:
    page = (DOCS / "formats.md").read_text()
    labels = re.findall(r"^\| `(@[0-9a-f]{24})` \| (\d+)\.(\d{9}) \|$", page, re.MULTILINE)
    assert len(labels) == 2
    for label, seconds, nanoseconds in labels:
        assert tai.label(int(seconds + nanoseconds)) == label.encode()

    shown = re.findall(r"^    ((?:[0-9a-f]{2} ?){18})$", page, re.MULTILINE)
    assert [bytes.fromhex(text) for text in shown] == [status.pack(4711, False, control.UP, 935467445787492500)]

    packets = re.findall(r"^    (\d␀.*)$", page, re.MULTILINE)
    job = wire.Job(b"web", wire.TEXT, [b"t", b"/var/log/services/web"])
    assert [text.replace("␀", "\0").encode() for text in packets] == [wire.pack(3, job)]


def test_the_control_alphabet() -> None:
    page = (DOCS / "formats.md").read_text()
    rows = re.findall(r"^\| `(\w)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    assert [ord(letter) for letter, _, _, _ in rows] == list(control.WORDS)
    for letter, wanted, sent, replaced in rows:
        request = control.WORDS[ord(letter)]
        changes = request.want is not None or request.is_paused is not None
        assert replaced == ("yes" if changes else "no")
        assert sent == (", ".join(Signals(number).name[3:] for number in request.signals) or "-")
        first = {control.UP: "up", control.DOWN: "down", control.NEITHER: "neither", None: "-"}[request.want]
        assert wanted.startswith("supervise leaves" if request.leaves else first)
        assert ("started" in wanted) == request.starts


def test_the_health_check_is_the_images() -> None:
    page = (DOCS / "commands/svstat.md").read_text()
    (shown,) = re.findall(r"^    (! svstat .*)$", page, re.MULTILINE)
    assert shown in (ROOT / "Dockerfile").read_text()


def test_the_example_of_a_decision_prints_what_hacking_shows() -> None:
    page = (ROOT / "HACKING.md").read_text()
    (code, shown), *_ = re.findall(r"^```python\n(.*?)^```\n\n```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == shown


def test_the_functions_that_hacking_shows_exist() -> None:
    page = (ROOT / "HACKING.md").read_text()
    shown = re.findall(r"^\d\.\d{4} +([\w.]+): ([\w.]+)", page, re.MULTILINE)
    assert shown
    for module, name in shown:
        value: object = import_module(f"pyinit.{module}")
        for part in name.split("."):
            assert hasattr(value, part), f"{module}: {name}"
            value = getattr(value, part)
