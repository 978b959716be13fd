import pytest

from course_utils.history import History


def example():
    history = History(settings={"seed": 3}, stopped="interrupted")
    history.add_steps({"step": [1, 2], "loss": [2.0, 1.5]})
    history.add_epoch({"epoch": 1, "train_loss": 1.75})
    history.add_epoch({"validation_loss": 1.6})
    return history


def test_last_holds_the_newest_epoch():
    assert example().last == {"epoch": 1, "train_loss": 1.75, "validation_loss": 1.6}
    assert History().last == {}


def test_frame_has_one_row_a_step_and_one_an_epoch():
    assert list(example().frame("steps")["loss"]) == [2.0, 1.5]
    assert example().frame().shape == (1, 3)
    with pytest.raises(ValueError, match="epochs"):
        example().frame("batches")


def test_json_round_trip(tmp_path):
    history = example()
    history.add_steps({"step": [3], "loss": [float("inf")]})
    history.save(tmp_path / "history.json")
    assert History.load(tmp_path / "history.json") == history


@pytest.mark.parametrize("text", ["nothing", '{"colour": 1}', "[1]"])
def test_other_text_is_refused(text):
    with pytest.raises(ValueError, match="no saved History"):
        History.from_json(text)
