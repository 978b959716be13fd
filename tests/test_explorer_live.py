"""Explorers with a kernel: training off the grid (no browser)."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from html import escape
from types import SimpleNamespace

import pandas as pd
import pytest
from toyexplorers import EPOCHS, kinds, ranks
from toylive import START, Training, at_work, drawing, grown, live, rate, said

from course_utils import explorer_live, explorers
from course_utils.explorer_live import Live
from course_utils.explorers import Control


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Pictures that tell what is in them but take no time."""

    def picture(self, rows, pinned=None):
        told = [f"{name}: {table.to_json()}" for name, table in rows.items()]
        return SimpleNamespace(svg=lambda: "<svg>" + "".join(told))

    monkeypatch.setattr(explorers.Explorer, "picture", picture)


def run(scenario):
    """Run a scenario on a thread of its own: tests of browsers hold a loop in this."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, scenario).result()


async def ended(task):
    done, _ = await asyncio.wait([task], timeout=20)
    assert done, "still at work"


async def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.001)


def test_a_value_off_the_grid_trains_and_its_curve_grows(monkeypatch):
    monkeypatch.setattr(explorer_live, "REDRAW", -1)
    train, told = Training(epochs=EPOCHS), []

    async def scenario():
        shown = live(train)
        shown.picture.observe(lambda _: told.append(len(shown.shown["runs"])), "value")
        bars, notes = [], []
        shown.bar.observe(lambda change: bars.append(change["new"]), "value")
        shown.said.observe(lambda _: notes.append((said(shown), at_work(shown))))
        value = rate(shown, 0.3)
        assert 0.1 < value < 1.0
        await shown.task
        return shown, value, bars, notes

    shown, value, bars, notes = run(scenario())
    settings = START | {"learning_rate": value}
    assert train.started == train.ended == [settings]
    assert told == [3, 6, 9, 12, 15]  # rows of three seeds, epoch by epoch
    assert bars == [3, 6, 9, 12, 15] and shown.bar.max == 15
    working = [f"After {k} epoch" in note for k, (note, _) in enumerate(notes[:-1], 1)]
    assert all(working) and all(busy for _, busy in notes)
    assert all(note.endswith("Still training.") for note, _ in notes[:-1])
    end = shown.explorer.read({"runs": grown(settings, EPOCHS)})
    title = shown.explorer.title(settings)
    assert said(shown) == f"{title}. {end} Trained just now."
    assert not at_work(shown)


def test_pictures_of_a_growing_curve_are_not_drawn_too_often(monkeypatch):
    pictures = []

    async def scenario():
        shown = live(Training(epochs=EPOCHS))
        clock = SimpleNamespace(monotonic=lambda: 2e6)
        monkeypatch.setattr(explorer_live, "time", clock)
        shown.picture.observe(pictures.append, "value")
        rate(shown, 0.3)
        await shown.task

    run(scenario())
    assert len(pictures) == 2  # after the first epoch and the last


def test_training_lets_others_work():
    train, beats = Training(epochs=EPOCHS), []

    async def scenario():
        shown = live(train)
        rate(shown, 0.3)
        while not shown.task.done():
            beats.append(len(train.ended))
            await asyncio.sleep(0)

    run(scenario())
    assert beats.count(0) > EPOCHS


def test_stop_keeps_what_came_and_says_so():
    train = Training()

    async def scenario():
        shown = live(train)
        value = rate(shown, 0.3)
        await until(lambda: shown.bar.value >= 6)
        assert at_work(shown) and not train.ended
        shown.stop.click()
        await ended(shown.task)
        return shown, START | {"learning_rate": value}

    shown, settings = run(scenario())
    assert train.ended == [settings] and not at_work(shown)
    epochs = shown.shown["runs"]["epoch"].max()
    assert epochs >= 2 and f"After {epochs} epochs" in said(shown)
    assert said(shown).endswith("Stopped before its end.")
    svg = shown.explorer.picture({"runs": grown(settings, epochs)}).svg()
    assert drawing(shown) == svg
    shown.stop.click()  # nothing runs: nothing happens
    assert said(shown).endswith("Stopped before its end.")


@pytest.mark.parametrize("second", [0.03, 1.0])
def test_a_second_change_ends_the_first(second):
    train = Training()

    async def scenario():
        shown = live(train)
        first = rate(shown, 0.3)
        await until(lambda: shown.bar.value >= 3)
        old = shown.task
        value = rate(shown, second)
        await ended(old)
        assert train.ended == [START | {"learning_rate": first}]
        settings = START | {"learning_rate": value}
        if value == 1.0:  # on the grid
            assert not at_work(shown) and said(shown).endswith("epoch 3.")
            return len(train.started)
        await until(lambda: len(train.started) == 2 and shown.bar.value >= 3)
        assert at_work(shown) and train.started[1] == settings
        assert said(shown).startswith(shown.explorer.title(settings))
        assert set(shown.shown["runs"]["learning_rate"]) == {value}
        shown.stop.click()
        await ended(shown.task)
        assert train.ended == train.started and not at_work(shown)
        return len(train.started)

    assert run(scenario()) == (1 if second == 1.0 else 2)


def test_what_is_played_does_not_train_again():
    rows = kinds()["general"].rows(kinds()["general"].defaults)
    told = rows["errors"].assign(part=1.0)
    train = Training()

    def train_errors(settings):
        yield from ({"errors": told} for _ in train(settings))

    async def scenario():
        tables = {
            "errors": told,
            "dots": pd.concat([rows["dots"].assign(step=step) for step in (1, 2)]),
            "seen": rows["seen"],
        }
        tables["errors"] = pd.concat([told, told.assign(part=2.0)])
        controls = [Control("part", "Part"), Control("step", "Step", play=True)]
        shown = Live(ranks(train=train_errors, tables=tables, controls=controls))
        shown.inputs["part"].value = 1.25
        await until(lambda: shown.bar.value > 0)
        task = shown.task
        shown.inputs["step"].value = 1
        await asyncio.sleep(0.01)
        assert shown.task is task and not task.done() and len(train.started) == 1
        shown.stop.click()
        await ended(task)
        assert said(shown).endswith("Stopped before its end.")
        shown.inputs["part"].value = 2.0  # back on the grid
        assert not said(shown).endswith("end.")

    run(scenario())


def test_changes_too_fast_to_start_leave_nothing_at_work():
    train = Training()

    async def scenario():
        shown = live(train)
        first = rate(shown, 0.3)
        await until(lambda: shown.bar.value >= 3)
        for value in (0.03, 0.2, 1.0):
            rate(shown, value)
        await asyncio.sleep(0.05)
        assert train.ended == train.started == [START | {"learning_rate": first}]
        assert not at_work(shown) and said(shown).endswith("epoch 3.")
        assert len(asyncio.all_tasks()) == 1

    run(scenario())


def fails_at_once(settings):
    raise MemoryError("no room for <1000> units")


@pytest.mark.parametrize(
    "train", [Training(2, MemoryError("no room for <1000> units")), fails_at_once]
)
def test_a_training_that_fails_says_so(train):
    async def scenario():
        shown = live(train)
        rate(shown, 0.3)
        with pytest.raises(MemoryError):
            await shown.task
        assert said(shown) == "Training failed: no room for <1000> units"
        assert escape("<1000>") in shown.said.value and not at_work(shown)
        rate(shown, 1.0)
        assert said(shown).endswith("epoch 3.")

    run(scenario())


def test_a_training_may_give_several_tables():
    rows = kinds()["general"].rows(kinds()["general"].defaults)

    def train(settings):
        grown = {name: rows[name].assign(**settings) for name in ("errors", "dots")}
        yield grown | {"errors": grown["errors"].assign(error=7.0)}

    async def scenario():
        controls = [Control("rank", "Rank", log=True), Control("method", "Method")]
        shown = Live(ranks(train=train, controls=controls, defaults={"rank": 4}))
        shown.inputs["rank"].value = 6
        await shown.task
        assert set(shown.shown) == {"errors", "dots", "seen"}
        assert "Error <7>" in said(shown) and said(shown).endswith("Trained just now.")

    run(scenario())
