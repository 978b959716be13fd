"""data: splits, normalisation, generated laws, and every refusal."""

from dataclasses import FrozenInstanceError, fields, replace

import numpy as np
import pytest

from course_utils import data

LOADERS = {
    "mnist": (data.mnist, (3500, 750, 750), 784, 10),
    "digits": (data.digits, None, 64, 10),
    "two_moons": (data.two_moons, (420, 90, 90), 2, 2),
    "spiral": (data.spiral, (420, 90, 90), 2, 2),
    "xor": (data.xor, (280, 60, 60), 2, 2),
    "planted_regression": (data.planted_regression, (420, 90, 90), 3, 0),
}
PARTS = ("train", "validation", "test")


def splits(dataset):
    return [getattr(dataset, part) for part in PARTS]


def toy(n=60, n_classes=3, d=4, **options):
    x = np.random.default_rng(0).normal(2, 3, (n, d))
    return data.from_arrays("toy", x, np.arange(n) % n_classes, **options)


@pytest.mark.parametrize("name", LOADERS)
def test_shapes_types_and_normalisation(name):
    load, sizes, d, n_classes = LOADERS[name]
    one = load(seed=0)
    assert (one.n_features, one.n_classes) == (d, n_classes)
    if sizes:
        assert tuple(map(len, splits(one))) == sizes
    for split in splits(one):
        assert split.x.shape == (len(split), d) and split.x.dtype == np.float32
        if n_classes:
            assert split.y.shape == (len(split),) and split.y.dtype == np.int64
        else:
            assert split.y.shape == (len(split), 1) and split.y.dtype == np.float32
    axis = None if one.image_shape else 0
    np.testing.assert_allclose(one.train.x.mean(axis, dtype=float), 0, atol=1e-5)
    np.testing.assert_allclose(one.train.x.std(axis, dtype=float), 1, atol=1e-5)
    assert one.mean.shape == one.std.shape == (() if one.image_shape else (d,))
    assert one.source
    data.check(one)


@pytest.mark.parametrize("name", LOADERS)
def test_the_seed_alone_decides(name):
    load = LOADERS[name][0]
    first, again, other = load(seed=0), load(seed=0), load(seed=1)
    for a, b, c in zip(*map(splits, (first, again, other)), strict=True):
        np.testing.assert_array_equal(a.x, b.x)
        np.testing.assert_array_equal(a.y, b.y)
        assert a.x.shape != c.x.shape or not np.array_equal(a.x, c.x)


@pytest.mark.parametrize("name", ["two_moons", "spiral", "xor", "planted_regression"])
def test_the_seed_changes_what_is_generated(name):
    rows = [
        np.sort(np.concatenate([one.raw(s.x) for s in splits(one)]), axis=0)
        for one in (LOADERS[name][0](seed=0), LOADERS[name][0](seed=1))
    ]
    assert np.abs(rows[0] - rows[1]).max() > 0.01


@pytest.mark.parametrize("name", ["mnist", "digits", "two_moons", "spiral", "xor"])
def test_classes_keep_their_shares(name):
    one = LOADERS[name][0]()
    counts = np.array([np.bincount(s.y, minlength=one.n_classes) for s in splits(one)])
    shares = counts / counts.sum(0)  # (3, K)
    slack = 1.01 / counts.sum(0).min()
    wanted = np.broadcast_to([[0.7], [0.15], [0.15]], shares.shape)
    np.testing.assert_allclose(shares, wanted, atol=slack)
    runs = np.count_nonzero(np.diff(one.train.y))
    assert runs > 0.3 * len(one.train)  # shuffled, not sorted by class


def test_splits_hold_every_example_once():
    x = np.arange(100.0)[:, None]
    one = data.from_arrays("count", x, np.arange(100) % 4)
    back = np.concatenate([one.raw(s.x) for s in splits(one)]).ravel()
    np.testing.assert_allclose(np.sort(back), x.ravel(), atol=1e-4)
    labels = np.concatenate([s.y for s in splits(one)])
    np.testing.assert_array_equal(labels, back.round().astype(int) % 4)


def test_only_training_examples_set_the_normalisation():
    x = np.random.default_rng(0).normal(size=(50, 2))
    train, far = (x, x[:, :1]), (x + 100, x[:, :1])
    one = data.from_splits("shifted", train, far, far)
    np.testing.assert_allclose(one.mean, x.mean(0), atol=1e-6)
    assert one.validation.x.mean() > 50


def test_raw_digits_are_whole_pixels():
    one = data.digits()
    back = one.raw(one.test.x)
    np.testing.assert_allclose(back, back.round(), atol=1e-4)
    assert back.min() > -1e-4 and 15.9 < back.max() < 16.1


@pytest.mark.parametrize("value", [0.1, 0.0, 1e9])
def test_constant_columns_become_zero(value):
    x = np.stack([np.arange(40.0), np.full(40, value)], axis=1)
    one = data.from_arrays("constant", x, np.arange(40) % 2)
    assert all((s.x[:, 1] == 0).all() for s in splits(one))
    np.testing.assert_allclose(one.raw(one.train.x)[:, 1], value, rtol=1e-6)


def test_arrays_and_fields_are_read_only():
    one = data.xor()
    for array in (one.train.x, one.test.y, one.mean, one.std, one.subset(9).train.x):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(FrozenInstanceError):
        one.name = "other"
    with pytest.raises(FrozenInstanceError):
        one.train.x = None
    with pytest.raises(TypeError):
        data.planted_regression().truth["noise"] = 0


def test_the_callers_arrays_are_left_alone():
    x, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    before = x.copy()
    data.from_arrays("mine", x, y)
    np.testing.assert_array_equal(x, before)
    assert x.flags.writeable


def test_subset_is_stratified_and_keeps_the_rest():
    one = data.mnist()
    part = one.subset(100)
    assert np.bincount(part.train.y).tolist() == [10] * 10
    for field in fields(one):
        assert field.name == "train" or getattr(part, field.name) is getattr(
            one, field.name
        )
    rows = {x.tobytes() for x in one.train.x}
    kept = {x.tobytes() for x in part.train.x}
    assert kept <= rows and len(kept) > 95
    assert not np.array_equal(part.train.x, one.subset(100, seed=1).train.x)
    np.testing.assert_array_equal(part.train.x, one.subset(100).train.x)


def test_subset_keeps_rare_classes():
    y = np.r_[np.zeros(200, int), np.ones(200, int), np.full(8, 2)]
    one = data.from_arrays("rare", np.random.default_rng(0).normal(size=(408, 2)), y)
    assert set(one.subset(3).train.y) == {0, 1, 2}
    assert len(one.subset(len(one.train)).train) == len(one.train)


@pytest.mark.parametrize("n", [0, 2, 1000])
def test_subset_out_of_range(n):
    with pytest.raises(ValueError, match=r"a subset holds 3 to \d+ training examples"):
        toy().subset(n)


def test_regression_subset():
    assert len(data.planted_regression().subset(1).train) == 1


def test_planted_law_holds_in_every_split():
    one = data.planted_regression(n=2000, n_features=5, noise=0.2)
    for s in splits(one):
        residual = s.y - s.x @ one.truth["weights"] - one.truth["bias"]
        assert abs(residual.std() - 0.2) < 0.03
        assert abs(residual.mean()) < 0.04
    assert (np.abs(one.truth["weights"]) > 0.3).all()
    exact = data.planted_regression(noise=0.0)
    law = exact.test.x @ exact.truth["weights"] + exact.truth["bias"]
    np.testing.assert_allclose(exact.test.y, law, atol=1e-5)


def test_xor_needs_both_columns():
    one = data.xor(n=2000, noise=0.1)
    raw = one.raw(one.train.x)
    np.testing.assert_array_equal(raw.prod(axis=1) < 0, one.train.y == 1)
    for column in raw.T:
        assert abs(np.mean((column > 0) == one.train.y) - 0.5) < 0.05


def test_spiral_arms_wind_and_are_apart():
    one = data.spiral(n=900, noise=0.0, n_classes=3)
    raw = one.raw(one.train.x)
    radius = np.hypot(*raw.T)
    turn = np.arctan2(raw[:, 1], raw[:, 0]) - 2.5 * np.pi * radius
    expected = 2 * np.pi * one.train.y / 3
    np.testing.assert_allclose(np.cos(turn - expected), 1, atol=1e-4)


def test_two_moons_noise_widens():
    exact = data.two_moons(noise=0.0)
    raw = exact.raw(exact.train.x)[exact.train.y == 0]
    np.testing.assert_allclose(np.hypot(*raw.T), 1, atol=1e-5)
    loose = data.two_moons(noise=0.3)
    raw = loose.raw(loose.train.x)[loose.train.y == 0]
    assert np.hypot(*raw.T).std() > 0.1


def test_images_are_flattened_and_keep_their_shape():
    x = np.random.default_rng(0).integers(0, 255, (40, 3, 5, 2))
    one = data.from_arrays("tiny", x, np.arange(40) % 2, ("a", "b"))
    assert (one.image_shape, one.n_features, one.mean.shape) == ((3, 5, 2), 30, ())
    assert one.class_names == ("a", "b")


@pytest.mark.parametrize("make", [data.two_moons, data.spiral, data.xor])
def test_generators_refuse_too_few_and_bad_noise(make):
    with pytest.raises(ValueError, match="at least 10 a group"):
        make(n=5)
    with pytest.raises(ValueError, match="noise must be a number >= 0"):
        make(noise=-1)
    with pytest.raises(ValueError, match="noise must be a number >= 0"):
        make(noise=float("nan"))


def test_planted_regression_refuses_no_features():
    with pytest.raises(ValueError, match="n_features must be at least 1"):
        data.planted_regression(n_features=0)


X, Y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 3


def changed(a, value, at=(7, 1)):
    a = a.astype(float)
    a[at] = value
    return a


BAD = {
    "one column": (X[:, 0], Y, {}, "reshape"),
    "lengths": (X, Y[:-1], {}, "one answer per example"),
    "scalar answers": (X, 3, {}, "one answer per example"),
    "no examples": (X[:0], Y[:0], {}, "empty split"),
    "nan": (changed(X, np.nan), Y, {}, "1 non-finite.*row 7.*fill in"),
    "infinity": (changed(X, np.inf), Y, {}, "1 non-finite.*row 7"),
    "nan target": (X, changed(X, np.nan), {}, "y holds 1 non-finite"),
    "negative label": (X, Y - 1, {}, r"labels out of range.*return_inverse"),
    "label too large": (X, Y, {"class_names": "ab"}, r"0 \.\. 1, got 0 \.\. 2"),
    "label gap": (X, Y * 2, {}, "too few examples: class '1' has 0.*without gaps"),
    "names as labels": (X, Y.astype(str), {}, "np.unique"),
    "real labels": (X, Y / 2, {"class_names": "abc"}, "whole numbers"),
    "text inputs": (X.astype(str), Y, {}, "must be numbers.*encode"),
    "rare class": (X, np.r_[Y[:-1], 3], {}, "too few examples: class '3' has 1"),
    "tiny": (X[:3], X[:3, 0], {}, "too few examples: the data has 3"),
    "empty share": (X, Y, {"fractions": (0.8, 0.2, 0)}, "empty split.*sum to 1"),
    "shares": (X, Y, {"fractions": (0.8, 0.1, 0.2)}, "sum to 1"),
    "two shares": (X, Y, {"fractions": (0.8, 0.2)}, "three positive"),
    "image shape": (X, Y, {"image_shape": (2, 2)}, r"needs 4: correct image_shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_from_arrays_refuses(case):
    x, y, options, message = BAD[case]
    with pytest.raises(ValueError, match=message) as error:
        data.from_arrays("mine", x, y, **options)
    assert str(error.value).startswith("mine")


@pytest.mark.parametrize("part", ["train", "validation"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: data.Split(s.x[:0], s.y[:0]), "empty split"),
        (lambda s: data.Split(s.x, s.y[:-1]), "one answer per example"),
        (lambda s: data.Split(s.x * np.nan, s.y), "non-finite"),
        (lambda s: data.Split(s.x, s.y + 1), r"out of range.*0 \.\. 2"),
        (lambda s: data.Split(s.x, s.y.astype(float)), "whole numbers"),
        (lambda s: data.Split(s.x[:, 0], s.y), "one row per example"),
        (lambda s: data.Split(s.x[:, :3], s.y), "same columns"),
    ],
)
def test_check_refuses(part, change, message):
    one = toy()
    bad = replace(one, **{part: change(getattr(one, part))})
    with pytest.raises(ValueError, match=f"toy.*{message}"):
        data.check(bad)


def test_check_refuses_flat_targets():
    one = data.planted_regression()
    bad = replace(one, train=data.Split(one.train.x, one.train.y[:, 0]))
    with pytest.raises(ValueError, match=r"y\.reshape\(-1, 1\)"):
        data.check(bad)


def test_check_leaves_the_test_split_to_its_user():
    one = toy()
    data.check(replace(one, test=data.Split(one.test.x[:0], one.test.y[:0])))


def test_from_splits_refuses_a_bad_test_split():
    pair = X, Y
    with pytest.raises(ValueError, match="mine, test: labels out of range"):
        data.from_splits("mine", pair, pair, (X, Y + 1), "abc")


def test_each_split_mixes_the_classes():
    """The first third of each split has about the class shares of the whole."""
    digits = data.digits()
    for split in (digits.train, digits.validation, digits.test):
        shares = np.bincount(split.y, minlength=10) / len(split)
        first = np.bincount(split.y[: len(split) // 3], minlength=10)
        assert np.abs(first / first.sum() - shares).max() < 0.1
