"""The life of an explorer with a kernel: the same controls, and training off the grid.

One asyncio task trains; between two steps it lets the notebook's messages through,
so that the picture grows, the stop button works, and a second change ends the first
run. The picture is one element whose text changes, so nothing flickers.
"""

import asyncio
import contextlib
import time
from html import escape

import ipywidgets as widgets
import numpy as np

BETWEEN = 3  # values to train between two neighbours of the grid
REDRAW = 0.25  # seconds between two pictures of a growing curve
WIDE = {"description_width": "initial"}


def steps(control, values) -> list:
    """The grid's values and those between them that can be trained.

    Between neighbours they lie at equal ratios where the control is logarithmic and
    both are above zero, else at equal distances; whole numbers stay whole.
    """
    whole = all(isinstance(v, int) for v in values)
    found = [values[0]]
    for low, high in zip(values[:-1], values[1:], strict=True):
        space = np.geomspace if control.log and low > 0 else np.linspace
        between = space(low, high, BETWEEN + 2)[1:-1]
        between = np.unique(np.rint(between).astype(int)) if whole else between
        new = (float(f"{v:.3g}") for v in between)
        found += [int(v) if whole else v for v in new if low < v < high] + [high]
    return found


class Live:
    """The widgets of one explorer; ``box`` is what the notebook shows."""

    def __init__(self, explorer):
        self.explorer, self.task, self.pinned = explorer, None, None
        self.asked = None  # what was trained last, or is being trained
        self.shown = explorer.rows(explorer.defaults)
        self.inputs = {c.name: self._input(c) for c in explorer.controls}
        self.pin = widgets.ToggleButton(description="Pin this run", icon="thumb-tack")
        self.stop = widgets.Button(description="Stop", icon="stop")
        self.bar = widgets.IntProgress(max=1, description="Training", style=WIDE)
        self.picture, self.said = widgets.HTML(), widgets.HTML()
        self.training = widgets.HBox([self.bar, self.stop])
        controls = [self._beside(c) for c in explorer.controls]
        rows = [*controls, self.pin, self.training, self.picture, self.said]
        self.box = widgets.VBox(rows)
        for box in self.inputs.values():
            box.observe(self._changed, "value")
        self.pin.observe(self._pin, "value")
        self.stop.on_click(lambda _: self._cancel())
        self._busy(False)
        self._changed(None)

    def _input(self, control):
        values = self.explorer.values[control.name]
        value = self.explorer.defaults[control.name]
        if isinstance(value, str):
            options = values
            return widgets.Dropdown(
                options=options, value=value, description=control.label, style=WIDE
            )
        trains = self.explorer.train and not control.play
        choices = steps(control, values) if trains else values
        return widgets.SelectionSlider(
            options=[(self._text(control, v), v) for v in choices],
            value=value,
            description=control.label,
            continuous_update=not trains,
            style=WIDE,
            layout=widgets.Layout(width="28rem"),
        )

    def _text(self, control, value):
        known = value in self.explorer.values[control.name]
        return control.text(value) + ("" if known else " (trains)")

    def _beside(self, control):
        """The control, with a button that plays it where it has one."""
        box = self.inputs[control.name]
        if not control.play:
            return box
        last = len(self.explorer.values[control.name]) - 1
        # The link sets the slider to the button's value as soon as both are shown.
        play = widgets.Play(min=0, max=last, value=box.index, interval=400)
        widgets.jslink((play, "value"), (box, "index"))
        return widgets.HBox([box, play])

    @property
    def settings(self) -> dict:
        """What the controls say."""
        return {name: box.value for name, box in self.inputs.items()}

    def _changed(self, _) -> None:
        settings = self.settings
        played = {c.name for c in self.explorer.controls if c.play}
        asked = {n: v for n, v in settings.items() if n not in played}
        grid = self.explorer.values
        known = all(value in grid[name] for name, value in settings.items())
        if not known and asked == self.asked:
            return  # a run off the grid is shown as it was left, whatever is played
        self._cancel()
        self.asked = None if known else asked
        for control in self.explorer.controls:
            self.inputs[control.name].disabled = not control.works(settings)
        if known:
            self._busy(False)
            self._show(self.explorer.rows(settings))
        else:
            self.task = asyncio.ensure_future(self._train(settings))

    def _show(self, rows, note="") -> None:
        self.shown = rows
        title = self.explorer.title(self.settings)
        self.picture.value = self.explorer.picture(rows, self.pinned).svg()
        self.said.value = (
            f"<p>{escape(f'{title}. {self.explorer.read(rows)} {note}')}</p>"
        )

    def _pin(self, change) -> None:
        self.pinned = self.shown if change["new"] else None
        self.pin.description = (
            "Let go of the pinned run" if change["new"] else "Pin this run"
        )
        self._show(self.shown)

    def _cancel(self) -> None:
        if self.task and not self.task.done():
            self.task.cancel()

    def _busy(self, busy: bool) -> None:
        self.training.layout.visibility = "visible" if busy else "hidden"

    async def _train(self, settings) -> None:
        """Train one setting, its curve growing, until its end or a stop."""
        first = next(iter(self.explorer.tables))
        rest = self._fixed(settings)
        usual = self.explorer.rows_of(first, self.explorer.defaults)
        self.bar.value, self.bar.max = 0, max(1, len(usual))
        self._busy(True)
        rows, drawn = rest | {first: self.explorer.tables[first].iloc[:0]}, 0.0
        try:
            with contextlib.closing(self.explorer.train(settings)) as run:
                for grown in run:
                    rows = rest | (grown if isinstance(grown, dict) else {first: grown})
                    self.bar.value = len(rows[first])
                    if time.monotonic() - drawn > REDRAW:
                        self._show(rows, "Still training.")
                        drawn = time.monotonic()
                    await asyncio.sleep(0.001)
            self._show(rows, "Trained just now.")
        except asyncio.CancelledError:
            if self.asked and self.task is asyncio.current_task():  # not moved on
                self._show(rows, "Stopped before its end.")
        except Exception as error:
            self.said.value = f"<p>Training failed: {escape(str(error))}</p>"
            raise
        finally:
            if self.task is asyncio.current_task():
                self._busy(False)

    def _fixed(self, settings) -> dict:
        """Rows of the tables whose controls all stand on the grid."""
        grid, default = self.explorer.values, self.explorer.defaults
        near = {n: v if v in grid[n] else default[n] for n, v in settings.items()}
        return self.explorer.rows(near)
