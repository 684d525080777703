"""The examples in the documentation run as printed."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from PIL import Image

from core.errors import ModelUnavailable
from encoders import registry
from tests.support.distributions import install_plugin

REPOSITORY = Path(__file__).parent.parent
DOCS = REPOSITORY / "docs"
GALLERY = REPOSITORY / "examples" / "gallery"


@pytest.fixture
def mini() -> None:
    try:
        registry.load(registry.DEFAULT_MODEL)
    except ModelUnavailable as exc:
        pytest.skip(str(exc))


def code_blocks(page: str, language: str = "python") -> list[str]:
    """Return the code blocks of a page of the documentation."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run_python(code: str, folder: Path) -> list[str]:
    """Run `code` in `folder`; return the lines it prints. Warnings are errors."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.processes
@pytest.mark.usefixtures("mini")
def test_python_of_the_evaluation_page(tmp_path: Path) -> None:
    (code,) = [block for block in code_blocks("evaluation.md") if "import sightline" in block]
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    lines = [line.split() for line in run_python(code, tmp_path)]
    assert [lang for lang, *_ in lines] == ["ar", "cs", "de", "en", "fr", "zh", "all"]
    for _, score, low, _, high in lines:
        assert 0 <= float(low.strip("(")) <= float(score) <= float(high.strip(")")) <= 1


@pytest.mark.processes
@pytest.mark.usefixtures("mini")
def test_python_of_the_api_page(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    shutil.copytree(GALLERY / "home", pictures / "home")
    captions = (GALLERY / "captions.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [line for line in captions if json.loads(line)["image"].startswith("home/")]
    (pictures / "captions.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")
    shutil.copy(min((GALLERY / "home").glob("*.jpg")), tmp_path / "cat.jpg")
    first, *others = [Image.open(path).convert("RGB") for path in sorted((GALLERY / "home").glob("*.jpg"))[:3]]
    (tmp_path / "scans").mkdir()
    first.save(tmp_path / "scans" / "scan.tif", save_all=True, append_images=others)
    lines = run_python("\n".join(code_blocks("python.md")), tmp_path)
    count = len(list((GALLERY / "home").glob("*.jpg")))
    assert lines[0] == f"{count} new, 0 failed"
    assert f"{count} pictures would be removed" in lines
    assert {"scan.tif, page 1 0", "scan.tif, page 2 1", "scan.tif, page 3 2"} <= set(lines)


def test_encoder_of_the_plugin_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, album: Path) -> None:
    import sightline

    source, _ = code_blocks("plugins.md")
    project, _ = code_blocks("plugins.md", "toml")
    assert 'brightness = "brightness:BrightnessEncoder"' in project
    assert '"sightline.encoders"' in project
    install_plugin(
        tmp_path / "site",
        monkeypatch,
        group="sightline.encoders",
        name="brightness",
        target="brightness:BrightnessEncoder",
        source=source,
    )
    with sightline.open(tmp_path / "plugin.library", create=True) as library:
        assert sightline.index(library, album, "brightness").new == 4
        searcher = sightline.Searcher(library)
        assert searcher.search("bright", k=1)[0].path.name == "yellow.png"  # two of three channels are at most
        assert searcher.search("night", k=4)[3].path.name == "yellow.png"


def test_data_set_format_of_the_plugin_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from search.evaluate.datasets import open_dataset

    _, source = code_blocks("plugins.md")
    _, project = code_blocks("plugins.md", "toml")
    assert project.split("\n")[:2] == [
        '[project.entry-points."sightline.dataset_formats"]',
        'tab = "tab_captions:FORMAT"',
    ]
    install_plugin(
        tmp_path / "site",
        monkeypatch,
        group="sightline.dataset_formats",
        name="tab",
        target="tab_captions:FORMAT",
        source=source,
    )
    (tmp_path / "captions.tab").write_text("a.jpg\ta dog\n", encoding="utf-8")
    dataset = open_dataset(tmp_path / "captions.tab", format="tab", check_files=False)
    assert [caption.text for caption in dataset.captions] == ["a dog"]


def test_every_option_and_metric_of_eval_is_documented() -> None:
    from cli.commands.eval import evaluate
    from search.evaluate.metrics import METRIC_NAMES

    page = (REPOSITORY / "docs" / "evaluation.md").read_text(encoding="utf-8")
    options = {option for parameter in evaluate.params for option in parameter.opts if option.startswith("--")}
    assert {option for option in options if option not in page} == set()
    assert {name for name in METRIC_NAMES if f"`{name}`" not in page} == set()


@pytest.mark.processes
@pytest.mark.usefixtures("mini")
def test_python_of_the_highlight_page(tmp_path: Path) -> None:
    (code,) = code_blocks("highlight.md")
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    lines = run_python(code, tmp_path)
    assert 0 <= float(lines[0].split()[0]) <= 1
    assert {path.name for path in tmp_path.iterdir()} == {"examples", "dog.png", "figure.png"}


def test_shell_operators_in_examples_are_quoted() -> None:
    """Outside quotation marks, `rating:>=4` writes to a file called `=4`."""
    files = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md"), *(REPOSITORY / "cli").rglob("*.py")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    examples = [re.split(r"\s{3,}", line.strip())[0] for line in lines if re.match(r"\s{2,}sightline ", line)]
    assert len(examples) > 150
    assert [line for line in examples if re.search(r"\S[<>]", re.sub(r"'[^']*'|\"[^\"]*\"", "''", line))] == []


def test_every_page_is_linked() -> None:
    """From the README, and from the first page of the documentation."""
    pages = {path.name for path in DOCS.glob("*.md")} - {"index.md", "architecture.md"}
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert {name for name in pages if f"(docs/{name})" not in readme} == set()
    assert {name for name in pages if f"({name})" not in (DOCS / "index.md").read_text(encoding="utf-8")} == set()


def examples_of_commands() -> list[tuple[str, list[str]]]:
    """Return the calls of `sightline` in documents and help, without comments and pipes, each with its file."""
    files = [REPOSITORY / "README.md", *DOCS.glob("*.md"), *(REPOSITORY / "cli").rglob("*.py")]
    found = []
    for file in files:
        text = file.read_text(encoding="utf-8")
        lines = re.findall(r"^ {2,}(?:\$ )?(?:\w+=\S+ )?sightline (\S.*)$", text, re.MULTILINE)
        lines += re.findall(r"`sightline ([^`{]+)`", text)
        lines += re.findall(r"""[{ (]command\(f?["']([^"'{]+)""", text)
        for line in lines:
            command = re.split(r"\s{3,}|\s(?:\|\|?|&&|[<>]|--)(?=\s)", line.rstrip("\\"))[0]
            found.append((f"{file.name}: sightline {command}", shlex.split(command)))
    return found


def test_commands_and_options_in_examples_exist() -> None:
    from cli.main import sightline

    wrong, examples = [], examples_of_commands()
    assert len(examples) > 400
    for example, words in examples:
        command: click.Command = sightline
        while isinstance(command, click.Group) and words:
            word = words.pop(0)
            if word == "--library":
                words.pop(0)
            elif not word.startswith("-"):
                command = command.get_command(click.Context(command), word) or click.Command(f"no command {word}")
        names = {name for parameter in command.params for name in parameter.opts} | {"--help", "-V", "--version"}
        options = [word.partition("=")[0] for word in words if re.fullmatch(r"--\w[\w-]*(?:=.*)?|-[A-Za-z0]", word)]
        wrong += [f"{example}: {name}" for name in options if name not in names]
        wrong += [example] if (command.name or "").startswith("no command") else []
    assert wrong == []


def test_every_option_of_highlight_is_documented() -> None:
    from cli.commands.highlight import highlight

    page = (REPOSITORY / "docs" / "highlight.md").read_text(encoding="utf-8")
    options = {option for parameter in highlight.params for option in parameter.opts if option.startswith("--")}
    assert {option for option in options if option not in page} == set()


def test_models_page_agrees_with_the_catalog() -> None:
    from encoders.model_catalog import MODEL_CATALOG, XM3600

    page = (REPOSITORY / "docs" / "models.md").read_text(encoding="utf-8")
    rows = {cells[1].strip().strip("`"): cells for line in page.splitlines() if len(cells := line.split("|")) == 15}
    langs = [cell.strip() for cell in rows["model"][6:-1]]
    assert set(langs) < set(XM3600.languages)
    for model in MODEL_CATALOG.values():
        assert f"| `{model.name}` | {model.summary} |" in page
        if model.measure is XM3600:
            shown = [cell.strip() for cell in rows[model.name][2:-1]]
            scores = [f"{model.scores[lang]:.1f}" if lang in model.scores else "" for lang in langs]
            assert (shown[0], shown[4:]) == (model.licence, scores)
