"""What an explorer is made of: controls, marks on panels, and the rows they choose.

A control moves through the values of one column. A mark draws some columns of one
table; where the table has a column named as a control, only the rows at the
control's value are drawn. Knows no data and no renderer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from course_utils.figure import BLUE, RED

STRONG, FAINT = 0.8, 0.45  # opacity of the strongest cells: of one colour, of two


@dataclass(frozen=True)
class Control:
    """A slider over numbers, or a list of words.

    Attributes:
        name: the column that it moves through.
        label, unit: as the reader sees them.
        log: numbers between two grid points are geometric means.
        play: the page offers a button that steps through the values.
        only: control -> values with which this one has any effect.
    """

    name: str
    label: str
    unit: str = ""
    log: bool = False
    play: bool = False
    only: Mapping[str, tuple] = field(default_factory=dict)

    def text(self, value) -> str:
        """A value as the reader sees it, with its unit."""
        word = value if isinstance(value, str) else f"{float(f'{value:.4g}'):,.8g}"
        return f"{word} {self.unit}".strip()

    def works(self, settings: Mapping) -> bool:
        """Whether the control has any effect at the settings of the others."""
        return all(settings[other] in allowed for other, allowed in self.only.items())


@dataclass(frozen=True)
class Line:
    """A curve through the rows in their order, a band where there are seeds.

    ``series``: column with one labelled curve a value. ``pieces``: column with one
    unlabelled part a value, such as the parts of a contour.
    """

    table: str
    x: str
    y: str
    label: str = ""
    colour: str = BLUE
    dashed: bool = False
    thin: bool = False
    series: str = ""
    pieces: str = ""


@dataclass(frozen=True)
class Points:
    """A dot a row; ``series``: column whose values have a colour each."""

    table: str
    x: str
    y: str
    label: str = ""
    colour: str = BLUE
    series: str = ""


@dataclass(frozen=True)
class Heat:
    """Cells of a regular grid, coloured by ``value``.

    With ``middle``, values below and above it have a colour each (orange, blue) that
    fades towards it; without, cells are the stronger the larger the value.
    """

    table: str
    x: str
    y: str
    value: str
    middle: float | None = None


@dataclass(frozen=True)
class Rule:
    """A straight line across the panel at the column ``x``, or at ``y``."""

    table: str
    x: str = ""
    y: str = ""
    label: str = ""
    colour: str = RED


@dataclass(frozen=True)
class Panel:
    """One pair of axes; a range is (low, high), else taken from the data.

    ``square``: both axes have one scale, so that right angles look right.
    """

    x_label: str
    y_label: str
    marks: tuple
    log_x: bool = False
    log_y: bool = False
    x_range: tuple | None = None
    y_range: tuple | None = None
    square: bool = False


def pins(mark) -> bool:
    """Whether a pinned setting shows this mark, in grey behind the present one."""
    return isinstance(mark, Line) and not mark.thin
