"""An explorer: tables of real runs, controls that choose among them, three lives.

In the rendered page it needs neither kernel nor network; in JupyterLab, Colab and
VS Code its controls also train what lies between the grid's points; ``draw`` gives
the picture of a setting to tests and printers. Knows no framework: training is a
function that it is given.
"""

import re
from collections.abc import Mapping

import pandas as pd

from course_utils import explorer_figure, explorer_page, frames

NOT_TRAINED = "Nothing was trained at this setting."


class Explorer:
    """Marks on panels, moved by controls.

    Args:
        name: of the explorer in the page's address; letters, digits, hyphens.
        tables: name -> DataFrame. A column named as a control chooses the rows; rows
            that differ in ``seed`` alone are one curve with a band.
        controls: list of ``Control``; their values are those in the tables.
        panels: list of ``Panel``, drawn side by side.
        say: {table name: chosen rows} -> one or two sentences that read the picture.
        train: settings -> iterator of the chosen rows so far, a DataFrame of the
            first table or {table name: DataFrame}; for values off the grid.
        defaults: control -> value; else the middle number, the first word.

    Raises:
        ValueError: where a control has no column, or a mark names none.
    """

    def __init__(self, name, tables, controls, panels, say, train=None, defaults=None):
        if not re.fullmatch(r"[a-z][a-z0-9-]*", name):
            raise ValueError(f"name={name!r}: use small letters, digits and hyphens")
        self.name, self.tables, self.train = name, dict(tables), train
        self.controls, self.panels, self._say = list(controls), list(panels), say
        _check_columns(self.tables, self.panels)
        self.values = {c.name: _values(c.name, self.tables) for c in controls}
        self.defaults = {
            name: values[0] if isinstance(values[0], str) else values[len(values) // 2]
            for name, values in self.values.items()
        }
        self.defaults = self.known(self.defaults | dict(defaults or {}))
        self._groups = {name: self._grouped(name) for name in self.tables}

    def known(self, settings: Mapping) -> dict:
        """The settings, completed by the defaults.

        Raises:
            ValueError: for a control that is not there, or a value off the grid.
        """
        for name, value in settings.items():
            if name not in self.values:
                raise ValueError(f"no control {name!r}: there are {list(self.values)}")
            if value not in self.values[name]:
                raise ValueError(
                    f"{name}={value!r} is none of {self.values[name]}: choose one"
                )
        return {
            name: settings.get(name, self.defaults.get(name)) for name in self.values
        }

    def chosen_by(self, table: str) -> list[str]:
        """Names of the controls that choose among the rows of a table."""
        return [name for name in self.values if name in self.tables[table]]

    def _grouped(self, table) -> dict:
        names = self.chosen_by(table)
        if not names:
            return {(): self.tables[table]}
        return dict(iter(self.tables[table].groupby(names, sort=False)))

    def rows_of(self, table: str, settings: Mapping) -> pd.DataFrame:
        """Rows of one table at a setting of the grid; none if nothing was trained."""
        key = tuple(settings[control] for control in self.chosen_by(table))
        return self._groups[table].get(key, self.tables[table].iloc[:0])

    def rows(self, settings: Mapping) -> dict[str, pd.DataFrame]:
        """The rows of every table at a setting of the grid."""
        return {name: self.rows_of(name, settings) for name in self.tables}

    def frame(self, mark, settings: Mapping) -> pd.DataFrame:
        """What one mark draws at a setting of the grid."""
        return frames.frame(mark, self.rows_of(mark.table, settings))

    def title(self, settings: Mapping) -> str:
        """The setting in words, without what has no effect in it."""
        used = [c for c in self.controls if c.works(settings)]
        said = [f"{_inside(c.label)} {c.text(settings[c.name])}" for c in used]
        text = ", ".join(said)
        return text[:1].upper() + text[1:]

    def read(self, rows: Mapping) -> str:
        """The sentence that reads the picture of some rows."""
        if any(len(table) == 0 for table in rows.values()):
            return NOT_TRAINED
        return self._say(rows)

    def say(self, settings: Mapping | None = None) -> str:
        """The sentence at a setting of the grid, by default the first one shown."""
        return self.read(self.rows(self.known(settings or {})))

    def draw(self, settings: Mapping | None = None, pinned: Mapping | None = None):
        """The picture at a setting of the grid, in grey beside it a pinned one."""
        rows = self.rows(self.known(settings or {}))
        return self.picture(rows, pinned and self.rows(self.known(pinned)))

    def picture(self, rows: Mapping, pinned: Mapping | None = None):
        """The picture of the chosen rows of every table."""
        drawn, behind = (
            shown
            and [
                [frames.frame(mark, shown[mark.table]) for mark in panel.marks]
                for panel in self.panels
            ]
            for shown in (rows, pinned)
        )
        said = self.read(rows)
        return explorer_figure.draw(self.panels, drawn, behind, self.tables, said)

    def widget(self):
        """The controls and the picture for a notebook with a kernel."""
        from course_utils.explorer_live import Live

        return Live(self).box

    def _repr_mimebundle_(self, include=None, exclude=None):
        live = self.widget()._repr_mimebundle_()
        page = {"text/html": explorer_page.element(self), "text/plain": self.say()}
        return {**live, **page}


def _inside(label) -> str:
    """A label inside a sentence: "Learning rate" as "learning rate", "IoU" as it is."""
    first = label.split()[0]
    return label if first[1:] != first[1:].lower() else label[0].lower() + label[1:]


def _check_columns(tables, panels) -> None:
    for panel in panels:
        for mark in panel.marks:
            if mark.table not in tables:
                raise ValueError(f"no table {mark.table!r}: there are {list(tables)}")
            for part in ("x", "y", "value", "series", "pieces"):
                column = getattr(mark, part, "")
                if column and column not in tables[mark.table]:
                    raise ValueError(
                        f"table {mark.table!r} has no column {column!r}: "
                        f"it has {list(tables[mark.table])}"
                    )


def _values(name, tables) -> list:
    """The values that a control moves through: numbers sorted, words as they come."""
    columns = [table[name] for table in tables.values() if name in table]
    if not columns:
        raise ValueError(f"no table has a column {name!r} for the control to move")
    values = pd.unique(pd.concat(columns)).tolist()
    if not values:
        raise ValueError(f"the column {name!r} is empty: train something first")
    return values if isinstance(values[0], str) else sorted(values)
