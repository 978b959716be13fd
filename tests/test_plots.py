"""The pictures: what stands in the page's HTML, and what the helpers draw."""

import re
import subprocess
import sys
from types import SimpleNamespace

import matplotlib as mpl
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from course_utils import plots
from course_utils.figure import DARK, INK


def luminance(colour):
    """Relative luminance of "#rrggbb" as WCAG 2.2 defines it."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    rgb = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return rgb @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def history(end=0.1, n=5, metric="accuracy", **more):
    loss = np.linspace(2, end, n)
    columns = {"epoch": list(range(1, n + 1)), "train_loss": list(loss)}
    columns["validation_loss"] = list(loss + 0.1)
    if metric:
        columns[f"train_{metric}"] = list(1 - loss / 4)
        columns[f"validation_{metric}"] = list(0.9 - loss / 4)
    return SimpleNamespace(epochs={**columns, **more})


def picture(alt="A line that rises."):
    """A picture with something of everything that gets ids, colours and text."""
    fig, ax = plots.subplots(alt=alt)
    ax.plot([0, 1], [0, 1], marker="o", label="rising")
    ax.imshow(np.eye(3), extent=(0, 1, 0, 1))
    ax.text(0.5, 0.5, "made without any colour")
    ax.axhline(0.3, color="black")
    ax.legend()
    ax.set(xlabel="$x^2$ (m)", title="A title")
    return fig


# --- colours


@pytest.mark.parametrize("colour", plots.COLOURS)
@pytest.mark.parametrize("page", ["#ffffff", DARK])
def test_every_colour_stands_out_on_both_pages(colour, page):
    assert contrast(colour, page) >= 3


def test_contrast_knows_the_extremes():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


def test_colour_is_never_the_only_cue():
    names = [plots.BLUE, plots.ORANGE, plots.GREEN, plots.RED, plots.PURPLE, plots.GREY]
    assert names == plots.COLOURS
    _, ax = plots.subplots(alt="Six lines.")
    lines = [ax.plot([0, 1], [i, i])[0] for i in range(6)]
    assert [line.get_color() for line in lines] == plots.COLOURS
    assert len({(line.get_linestyle(), line._dash_pattern[1] and
                 tuple(line._dash_pattern[1])) for line in lines}) == 6  # fmt: skip


# --- the picture in the page


@pytest.mark.parametrize("alt", ["", "  ", None, 3])
def test_alt_is_required(alt):
    with pytest.raises(ValueError, match="describe what the picture shows"):
        plots.subplots(alt=alt)


def test_alt_must_be_given():
    with pytest.raises(TypeError, match="alt"):
        plots.subplots()


def test_alt_is_escaped():
    html = picture('Loss < 1 & "falling"').svg()
    assert 'aria-label="Loss &lt; 1 &amp; &quot;falling&quot;"' in html
    assert html.startswith("<svg") and 'role="img"' in html and "<title" not in html


def test_html_follows_the_page():
    html = picture().svg()
    assert "currentColor" in html.split(">", 1)[1]
    assert INK not in html and "#000000" not in html and "#ffffff" not in html
    texts = re.findall(r"<(?:text|tspan)[^>]*fill: ([^;\"]+)", html)
    assert texts and set(texts) == {"currentColor"}
    # Text without a colour of its own takes that of the whole, and is text, no outline.
    assert "fill:currentColor" in html.split(">")[0]
    assert "made without any colour</text>" in html


def test_html_asks_nothing_of_the_network_and_styles_no_page():
    html = picture().svg()
    for space in ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"):
        html = html.replace(f'="{space}"', "")
    assert "http" not in html
    assert not re.search(r"<style|<!|<\?|<metadata|<script", html)


def test_html_scales_down_but_not_up():
    fig, _ = plots.subplots(alt="Nothing.", size=(6.0, 3.0))
    head = fig.svg().split(">")[0]
    assert 'viewBox="0 0 432 216"' in head
    assert "max-width:576px;width:100%;height:auto" in head
    assert not re.search(r'\s(width|height)="', head)


def test_two_pictures_share_no_id_and_refer_only_to_their_own():
    fig = picture()
    pages = [fig.svg(), fig.svg(), picture("The same drawing.").svg()]
    ids = [re.findall(r'\sid="([^"]+)"', page) for page in pages]
    assert all(ids) and len(set(sum(ids, []))) == len(sum(ids, []))
    for page, own in zip(pages, ids, strict=True):
        assert set(re.findall(r'(?:url\(|href=")#([^")]+)', page)) == set(own)


def test_settings_stay_as_they_were():
    with mpl.rc_context():
        mpl.rcdefaults()
        before = dict(mpl.rcParams)
        picture().svg()
        assert dict(mpl.rcParams) == before


def test_plots_never_imports_pyplot_or_a_framework():
    code = (
        "import sys; from course_utils import plots; plots.subplots(alt='a')[0].svg()\n"
        "heavy = {'matplotlib.pyplot', 'torch', 'tensorflow', 'IPython'}\n"
        "print(heavy & set(sys.modules))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "set()"


def test_a_kernel_shows_only_our_picture():
    cell = (
        "%matplotlib inline\nimport matplotlib.pyplot\nfrom course_utils import plots\n"
        "fig, ax = plots.subplots(alt='Nothing yet.')\nfig"
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    (output,) = book.cells[0].outputs
    assert set(output["data"]) == {"text/html", "text/plain"}
    assert output["data"]["text/plain"] == "Nothing yet."
    assert output["data"]["text/html"].startswith("<svg")


def test_colour_bar_has_no_grid_and_the_axes_have_one():
    fig, ax = plots.subplots(alt="A bar.")
    bar = fig.colorbar(ax.scatter([0, 1], [0, 1], c=[0, 1]), label="loss")
    fig.svg()
    assert all(line.get_visible() for line in ax.get_ygridlines())
    assert not any(line.get_visible() for line in bar.ax.get_ygridlines())


# --- training curves


def test_training_curves_of_one_history():
    fig = plots.training_curves(history())
    left, right = fig.axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("loss", "accuracy")
    train, validation = left.lines
    assert (train.get_linestyle(), validation.get_linestyle()) == ("--", "-")
    np.testing.assert_allclose(train.get_ydata(), np.linspace(2, 0.1, 5))
    np.testing.assert_allclose(right.lines[1].get_ydata()[-1], 0.875)
    np.testing.assert_array_equal(train.get_xdata(), [1, 2, 3, 4, 5])
    assert "validation accuracy 0.875 after epoch 5" in fig.alt


def test_training_curves_without_the_metric_show_the_loss():
    fig = plots.training_curves(history(metric=None), alt="Falls.")
    assert [ax.get_ylabel() for ax in fig.axes] == ["loss"]
    assert fig.alt == "Falls."
    nan = {"train_accuracy": [np.nan] * 5, "validation_accuracy": [np.nan] * 5}
    assert len(plots.training_curves(history(metric=None, **nan)).axes) == 1


def test_training_curves_over_seeds_draw_mean_and_band():
    runs = {"a": [history(0.1), history(0.3, n=7)], "b": history(0.5)}
    fig = plots.training_curves(runs)
    ax = fig.axes[0]
    a, b = ax.lines[0], ax.lines[2]
    assert a.get_color() != b.get_color() and a.get_marker() != b.get_marker()
    last = np.linspace(2, 0.3, 7)[4]
    np.testing.assert_allclose(a.get_ydata()[-1], (0.1 + last) / 2)
    bands = [band.get_paths()[0].vertices for band in ax.collections]
    assert len(bands) == 2  # train and validation of a; b has one seed
    at_end = bands[0][bands[0][:, 0] == 5][:, 1]
    np.testing.assert_allclose([at_end.min(), at_end.max()], [0.1, last])
    labels = [text.get_text() for text in fig.legends[0].get_texts()]
    assert labels == ["a, train", "b, train", "a, validation", "b, validation"]
    assert "2 seeds" in fig.alt


@pytest.mark.parametrize(
    ("histories", "metric", "message"),
    [
        ({}, "accuracy", "at least one History"),
        ({"a": []}, "accuracy", "at least one History"),
        (history(), "acuracy", "columns are .*train_accuracy"),
        (SimpleNamespace(epochs={}), "accuracy", "no train_loss"),
        ([history(), history(metric=None)], "accuracy", "only 1 of 2"),
    ],
)
def test_training_curves_say_what_is_missing(histories, metric, message):
    with pytest.raises(ValueError, match=message):
        plots.training_curves(histories, metric)


# --- decision boundary

SQUARE = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=float)


def split(y=(0, 1, 0, 1), x=SQUARE):
    return SimpleNamespace(x=x, y=np.array(y))


@pytest.mark.parametrize(
    "predict",
    [
        lambda p: p[:, 0] - 0.5,
        lambda p: p[:, :1] - 0.5,
        lambda p: np.stack([0.5 - p[:, 0], p[:, 0] - 0.5], axis=1),
    ],
)
def test_decision_boundary_draws_regions_points_and_border(predict):
    fig = plots.decision_boundary(predict, split())
    ax = fig.axes[0]
    dots = [c for c in ax.collections if len(c.get_offsets()) == 2]
    np.testing.assert_array_equal(dots[0].get_offsets(), SQUARE[[0, 2]])
    np.testing.assert_array_equal(dots[1].get_offsets(), SQUARE[[1, 3]])
    shapes = [dot.get_paths()[0].vertices.shape for dot in dots]
    assert shapes[0] != shapes[1]  # another marker, not another colour alone
    areas = [c for c in ax.collections if isinstance(c, mpl.contour.ContourSet)]
    filled = [c.get_paths()[0].vertices[:, 0] for c in areas if c.filled]
    assert filled[0].max() == pytest.approx(0.5) == filled[1].min()
    borders = [c.get_paths()[0].vertices[:, 0] for c in areas if not c.filled]
    np.testing.assert_allclose(np.concatenate(borders), 0.5, atol=1e-6)
    assert "100.0% of the 4 points" in fig.alt


def test_decision_boundary_counts_what_is_wrong():
    fig = plots.decision_boundary(lambda p: p[:, 0] - 0.5, split((0, 1, 1, 1)))
    assert "75.0% of the 4 points" in fig.alt


def test_decision_boundary_into_given_axes():
    fig, axes = plots.subplots(1, 2, alt="Two.")
    got = plots.decision_boundary(lambda p: 1 + 0 * p[:, 0], split(), ax=axes[1])
    assert got is fig and not axes[0].collections and axes[1].collections


@pytest.mark.parametrize(
    ("predict", "data", "message"),
    [
        (lambda p: p[:3], split(), r"return \(m, K\)"),
        (lambda p: p[:, 0] * np.nan, split(), "diverged"),
        (lambda p: p, split(x=np.ones((4, 3))), "two features"),
        (lambda p: p, split(y=(0, 1)), "two features"),
        (lambda p: p, split(y=(0.5, 1, 0, 1)), "integers from 0"),
    ],
)
def test_decision_boundary_says_what_is_wrong(predict, data, message):
    with pytest.raises(ValueError, match=message):
        plots.decision_boundary(predict, data)


# --- images, counts, histograms


def test_image_grid_draws_each_image_once_in_reading_order():
    images = np.arange(5 * 2 * 3).reshape(5, 2, 3)
    fig = plots.image_grid(images, titles=range(5), cols=3)
    drawn = fig.axes[0].images
    for image, given in zip(drawn, images, strict=True):
        np.testing.assert_array_equal(image.get_array(), given)
        assert image.get_clim() == (0, 29)  # one scale for all
    boxes = np.array([image.get_extent() for image in drawn])  # left right bottom top
    assert len(set(boxes[:3, 0])) == 3 and len(set(boxes[:3, 3])) == 1
    assert boxes[3, 0] == boxes[0, 0] and boxes[3, 3] > boxes[0, 2]
    assert [text.get_text() for text in fig.axes[0].texts] == list("01234")
    assert fig.alt == "5 images in 2 rows. Titles: 0, 1, 2, 3, 4."


def test_image_grid_takes_colours():
    images = np.random.default_rng(0).random((3, 4, 4, 3))
    drawn = plots.image_grid(images, alt="Noise.").axes[0].images
    np.testing.assert_array_equal(drawn[2].get_array(), images[2])


@pytest.mark.parametrize(
    ("images", "titles", "message"),
    [
        (np.zeros((4, 64)), None, "reshape"),
        (np.zeros((4, 8, 8, 1)), None, "reshape"),
        (np.zeros((0, 8, 8)), None, "reshape"),
        (np.full((1, 8, 8, 3), 2.0), None, "bring them to 0 to 1"),
        (np.zeros((4, 8, 8)), ["a"], "1 titles for 4 images"),
    ],
)
def test_image_grid_says_what_is_wrong(images, titles, message):
    with pytest.raises(ValueError, match=message):
        plots.image_grid(images, titles)


def test_confusion_matrix_counts_and_reads():
    y, predicted = np.repeat([0, 1, 2], 10), np.repeat([0, 1, 2], 10)
    predicted[:3] = 2
    fig = plots.confusion_matrix(y, predicted, ["cat", "dog", "owl"])
    ax = fig.axes[0]
    numbers = [int(text.get_text()) for text in ax.texts]
    assert numbers == [7, 0, 3, 0, 10, 0, 0, 0, 10]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["cat", "dog", "owl"]
    assert "90.0% of 30" in fig.alt and "cat taken for owl, 3 times" in fig.alt


def test_confusion_matrix_numbers_stand_out_from_every_cell():
    y, predicted = np.repeat(range(21), 20), np.zeros(420, dtype=int)
    for k in range(21):
        predicted[k * 20 : k * 20 + k] = k  # every share from 0 to 1
    ax = plots.confusion_matrix(y, predicted).axes[0]
    cells = ax.images[0].to_rgba(ax.images[0].get_array()).reshape(-1, 4)
    for text, cell in zip(ax.texts, cells, strict=True):
        assert contrast(text.get_color(), mpl.colors.to_hex(cell)) >= 4.5


@pytest.mark.parametrize(
    ("y", "predicted", "names", "message"),
    [
        ([0, 1], np.zeros((2, 2)), None, "argmax"),
        ([0, 1], [0.2, 0.9], None, "integers from 0"),
        ([0, 2], [0, 1], ["a", "b"], "2 class_names for labels up to 2"),
        ([], [], None, "give labels"),
    ],
)
def test_confusion_matrix_says_what_is_wrong(y, predicted, names, message):
    with pytest.raises(ValueError, match=message):
        plots.confusion_matrix(y, predicted, names)


def test_histograms_draw_shares_over_common_bins():
    values = {"a": np.array([[0.0, 0.1], [0.1, 1.0]]), "b": np.array([1.0])}
    fig = plots.histograms(values, bins=2)
    fills, steps = fig.axes[0].patches[::2], fig.axes[0].patches[1::2]
    for patches in (fills, steps):
        np.testing.assert_allclose(patches[0].get_data().values, [0.75, 0.25])
        np.testing.assert_allclose(patches[1].get_data().values, [0, 1])
        np.testing.assert_allclose(patches[1].get_data().edges, [0, 0.5, 1])
    assert steps[0].get_linestyle() != steps[1].get_linestyle()
    assert "a: mean 0.3" in fig.alt


def test_histograms_and_counts_into_given_axes():
    fig, (left, right) = plots.subplots(1, 2, alt="Two.")
    assert plots.histograms({"a": [1.0, 2.0]}, ax=left) is fig
    assert plots.confusion_matrix([0, 1], [0, 1], ax=right) is fig
    assert left.patches and right.images


@pytest.mark.parametrize("values", [{}, {"a": []}, {"a": [1.0, np.nan]}])
def test_histograms_say_what_is_wrong(values):
    with pytest.raises(ValueError, match="nothing to draw|is empty or holds NaN"):
        plots.histograms(values)
