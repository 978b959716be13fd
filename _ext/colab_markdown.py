"""A resolved chapter as cells of plain Markdown and code.

Walks the tree that Sphinx has resolved, in which numbers, citations and links are
text already, so nothing of the book's own markup is left. A kind of node that is
not known raises, so that no markup slips through unread. Knows nothing about files.
"""

import re

from colab_inline import SILENT, Inline, formula, summary
from docutils import nodes
from sphinx_design.dropdown import dropdown_main
from sphinx_exercise.nodes import is_exercise_node, is_solution_node


def indent(text, first, rest):
    """Lines of a text behind a mark on the first and another on the rest."""
    lines = text.split("\n")
    marked = ((rest if i else first) + line for i, line in enumerate(lines))
    return "\n".join(line.rstrip() for line in marked)


def fold(title, body):
    """A block that opens when its title is clicked."""
    return f"<details>\n<summary>{summary(title)}</summary>\n\n{body}\n\n</details>"


def is_code_cell(node):
    """Whether a node is a code cell with its outputs."""
    return isinstance(node, nodes.container) and node.get("nb_element") == "cell_code"


def can_fold(node):
    """Whether only a heading or an exercise follows, so that nothing else folds."""
    after = node.next_node(descend=False, siblings=True)
    kinds = (nodes.section, nodes.target, type(None))
    return isinstance(after, kinds) or is_exercise_node(after)


class Writer(Inline):
    """Turns one chapter into a list of (kind, Markdown or number of a code cell).

    The kinds are "markdown", "code", and "folded" for a cell whose heading hides
    what follows it until the reader opens it.
    """

    def chapter(self, document):
        """Cells of a whole chapter."""
        self.cells, self.buffer, self.kind, self.level = [], [], "markdown", 0
        for node in document.children:
            self.add(node)
        self.flush()
        return self.cells

    def flush(self):
        """Close the Markdown cell under way."""
        text = "\n\n".join(filter(None, self.buffer)).strip()
        if text:
            self.cells.append((self.kind, text))
        self.buffer, self.kind = [], "markdown"

    def heading(self, text, level, kind="markdown"):
        """Start a cell with a heading, so that Colab can fold what follows."""
        self.flush()
        self.kind = kind
        self.buffer.append("#" * min(level, 6) + " " + text)

    def add(self, node):
        """Add a block that may hold headings or code cells."""
        if isinstance(node, nodes.section):
            self.level += 1
            for child in node.children:
                if isinstance(child, nodes.title):
                    self.heading(self.inline(child), self.level)
                else:
                    self.add(child)
            self.level -= 1
        elif is_code_cell(node):
            self.flush()
            self.cells.append(("code", node["cell_index"]))
        elif is_exercise_node(node):
            self.below(f"{self.number(node)} {self.inline(node[0])}", node)
        elif is_solution_node(node) and any(node.findall(is_code_cell)):
            # A block that opens cannot hold cells: these stand below a heading.
            kind = "folded" if can_fold(node) else "markdown"
            self.below(self.inline(node[0]), node, kind)
        elif any(node.findall(is_code_cell)):
            raise self.unknown(node)
        else:
            self.buffer.append(self.block(node))

    def below(self, title, node, kind="markdown"):
        """Add what an exercise or a solution holds below a heading of its own."""
        self.heading(title, self.level + 1, kind)
        for part in (part for child in node.children[1:] for part in child.children):
            self.add(part)

    def blocks(self, children):
        """Blocks below one another."""
        return "\n\n".join(filter(None, map(self.block, children)))

    def block(self, node):
        """Markdown of one block."""
        name = node.__class__.__name__
        if name in SILENT:
            return ""
        if is_solution_node(node) or isinstance(node, dropdown_main):
            return fold(self.inline(node[0]), self.blocks(node.children[1:]))
        if isinstance(node, nodes.Admonition):
            return self.admonition(node)
        if not hasattr(self, f"block_{name}"):
            raise self.unknown(node)
        return getattr(self, f"block_{name}")(node)

    def admonition(self, node):
        """A note as a quotation below its title in bold."""
        title, children = node.__class__.__name__.capitalize(), node.children
        if isinstance(children[0], nodes.title):
            title, children = self.inline(children[0]), children[1:]
        body = self.blocks(children)
        if "dropdown" in node["classes"]:
            return fold(title, body)
        return indent(f"**{title}**\n\n{body}", "> ", "> ")

    def block_paragraph(self, node):
        """A paragraph on one line; a sign at its start is no list or heading."""
        text = re.sub(r"^([-+>]|#+) ", r"\\\1 ", self.inline(node))
        return re.sub(r"^(\d+)([.)] )", r"\1\\\2", text)

    def block_container(self, node):
        """What a box without a look of its own holds."""
        return self.blocks(node.children)

    block_section = block_compound = block_legend = block_container

    def block_sd_tab_label(self, node):
        """The name of a tab, above what the tab shows."""
        return f"**{self.inline(node)}**"

    block_rubric = block_sd_tab_label

    def block_math_block(self, node):
        """A displayed formula, with the number it has in the book."""
        return formula(node.astext(), self.number(node))

    def block_transition(self, node):
        """A line across the page."""
        return "---"

    def block_literal_block(self, node):
        """Code that is shown and not run."""
        return f"```{node.get('language', '')}\n{node.astext().rstrip()}\n```"

    def block_block_quote(self, node):
        """A quotation."""
        return indent(self.blocks(node.children), "> ", "> ")

    def block_footnote(self, node):
        """A footnote behind its number."""
        return f"<sup>{node[0].astext()}</sup> {self.blocks(node.children[1:])}"

    def block_bullet_list(self, node):
        """A list with bullets."""
        return "\n".join(
            indent(self.blocks(item.children), "- ", "  ") for item in node.children
        )

    def block_enumerated_list(self, node):
        """A list with numbers."""
        items = enumerate(node.children, node.get("start", 1))
        return "\n".join(
            indent(self.blocks(item.children), f"{i}. ", "   ") for i, item in items
        )

    def block_definition_list(self, node):
        """Terms in bold, each followed by its meaning."""
        items = []
        for item in node.children:
            *terms, meaning = item.children
            names = ", ".join(map(self.inline, terms))
            items.append(
                indent(f"**{names}**\n\n{self.blocks(meaning.children)}", "- ", "  ")
            )
        return "\n".join(items)

    def block_table(self, node):
        """A table."""
        return self.table(node)

    def block_image(self, node):
        """A picture."""
        return self.image(node)

    def block_figure(self, node):
        """A picture with its caption."""
        parts = [c for c in node.children if not isinstance(c, nodes.caption)]
        caption = next(node.findall(nodes.caption), nodes.caption())
        text = f"**{self.number(node)}** {self.inline(caption)}".replace("****", "")
        return f"{self.blocks(parts)}\n\n{text}".strip()
