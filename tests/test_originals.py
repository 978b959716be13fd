"""originals: tiny files in the published formats, served from this machine."""

import errno
import gzip
import hashlib
import io
import struct
import tarfile
import threading
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from course_utils import data, originals

N_TRAIN, N_TEST = 80, 20


def idx_bytes(a):
    head = struct.pack(f">BBBB{a.ndim}I", 0, 0, 8, a.ndim, *a.shape)
    return gzip.compress(head + a.tobytes())


def images_and_labels(n, shape, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (n, *shape), dtype=np.uint8)
    return x, (np.arange(n) % 10).astype(np.uint8)


def mnist_files(folder):
    """Write the four files; return {name: SHA-256} and the arrays in them."""
    train = images_and_labels(N_TRAIN, (28, 28), 0)
    arrays = [*train, *images_and_labels(N_TEST, (28, 28), 1)]
    for name, a in zip(originals._IDX, arrays, strict=True):
        (folder / name).write_bytes(idx_bytes(a))
    return {name: sha256(folder / name) for name in originals._IDX}, arrays


def cifar_file(path, skip=None, cut=0):
    """Write a small CIFAR-10 archive; return its labels and images (n, 32, 32, 3)."""
    names = [f"data_batch_{k}.bin" for k in range(1, 6)] + ["test_batch.bin"]
    pairs = {}
    with tarfile.open(path, "w:gz") as tar:
        for k, name in enumerate(["readme.html", *names]):
            x, y = images_and_labels(20, (32, 32, 3), k)
            planes = x.transpose(0, 3, 1, 2).reshape(20, -1)
            content = np.c_[y, planes].tobytes()[: 20 * 3073 - cut]
            if name != skip:
                member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
                pairs[name] = x, y
    return pairs


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        self.server.asked.append(self.path)


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A loopback server of tmp_path/"remote", and an empty cache folder."""
    remote = tmp_path / "remote"
    remote.mkdir()
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv(originals.CACHE, str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_UTILS_QUIET", "1")
    serving = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=remote))
    serving.asked, serving.folder = [], remote
    thread = threading.Thread(target=serving.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield serving
    serving.shutdown()
    serving.server_close()
    thread.join()


@pytest.fixture
def serve(server, monkeypatch):
    """Point the entry `name` at the loopback server with other checksums."""

    def point(name, files):
        url = f"http://127.0.0.1:{server.server_port}/"
        entry = replace(originals.ORIGINALS[name], base_url=url, files=files)
        monkeypatch.setitem(originals.ORIGINALS, name, entry)
        return entry

    return point


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_idx_sets_keep_the_published_test_split(server, serve, name):
    files, (x, y, test_x, test_y) = mnist_files(server.folder)
    serve(name, files)
    full = data.original(name)
    assert (len(full.train), len(full.validation), len(full.test)) == (70, 10, N_TEST)
    assert full.image_shape == (28, 28) and full.n_classes == 10
    np.testing.assert_array_equal(full.test.y, test_y)
    back = full.raw(full.test.x).reshape(-1, 28, 28)
    np.testing.assert_allclose(back, test_x, atol=1e-3)
    kept = np.concatenate([full.raw(full.train.x), full.raw(full.validation.x)])
    assert sorted(kept.sum(1).round()) == sorted(x.reshape(N_TRAIN, -1).sum(1))
    assert np.bincount(full.train.y).tolist() == [7] * 10
    assert abs(full.train.x.mean()) < 1e-5 and abs(full.train.x.std() - 1) < 1e-5
    other = data.original(name, seed=1)
    assert not np.array_equal(full.train.x, other.train.x)


def test_cifar10_channels_come_last(server, serve):
    file = "cifar-10-binary.tar.gz"
    pairs = cifar_file(server.folder / file)
    serve("cifar10", {file: sha256(server.folder / file)})
    full = data.original("cifar10")
    assert full.image_shape == (32, 32, 3) and full.class_names[9] == "truck"
    assert (len(full.train), len(full.validation), len(full.test)) == (80, 20, 20)
    x, y = pairs["test_batch.bin"]
    np.testing.assert_array_equal(full.test.y, y)
    back = full.raw(full.test.x).reshape(x.shape)
    np.testing.assert_allclose(back, x, atol=1e-3)


def test_cached_files_need_no_network(server, serve):
    files, _ = mnist_files(server.folder)
    entry = serve("mnist", files)
    first = originals.fetch(entry, "t10k-labels-idx1-ubyte.gz")
    away = replace(entry, base_url="http://127.0.0.1:9/")
    assert originals.fetch(away, "t10k-labels-idx1-ubyte.gz") == first
    assert len(server.asked) == 1
    assert first.parent.name == "cache"


def test_corrupted_download_is_named_and_not_kept(server, serve, tmp_path):
    files, _ = mnist_files(server.folder)
    serve("mnist", files | {"train-images-idx3-ubyte.gz": "0" * 64})
    with pytest.raises(ValueError, match=r"train-images.*corrupted.*data\.mnist\(\)"):
        data.original("mnist")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("name", list(originals.ORIGINALS))
def test_offline_names_the_packaged_data(server, monkeypatch, name):
    entry = replace(originals.ORIGINALS[name], base_url="http://127.0.0.1:9/")
    monkeypatch.setitem(originals.ORIGINALS, name, entry)
    with pytest.raises(ConnectionError, match=r"network.*data\.mnist\(\)"):
        data.original(name)


def test_a_file_that_is_gone_names_the_packaged_data(server, serve):
    serve("mnist", {"gone.gz": "0" * 64})
    with pytest.raises(ConnectionError, match=r"404.*data\.mnist\(\)"):
        data.original("mnist")


def test_unwritable_cache_folder_is_named(server, serve, tmp_path, monkeypatch):
    files, _ = mnist_files(server.folder)
    serve("mnist", files)
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv(originals.CACHE, str(tmp_path / "file" / "cache"))
    with pytest.raises(OSError, match=rf"file/cache.*{originals.CACHE}"):
        data.original("mnist")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_full_disk_and_denied_folder_are_named(server, serve, monkeypatch, code):
    import pooch

    def retrieve(*arguments, **options):
        raise OSError(code, "the system's words")

    files, _ = mnist_files(server.folder)
    serve("mnist", files)
    monkeypatch.setattr(pooch, "retrieve", retrieve)
    with pytest.raises(OSError, match="cannot keep.*the system's words.*space") as e:
        data.original("mnist")
    assert e.value.errno == code
    assert isinstance(e.value, PermissionError) == (code == errno.EACCES)


def test_progress_is_shown_unless_quiet(server, serve, monkeypatch, capsys):
    path = server.folder / "big.gz"
    path.write_bytes(bytes(100_000))
    entry = serve("mnist", {"big.gz": sha256(path)})
    monkeypatch.delenv("CI", raising=False)
    originals.fetch(entry, "big.gz")
    assert capsys.readouterr() == ("", "")
    monkeypatch.delenv("COURSE_UTILS_QUIET")
    monkeypatch.setenv(originals.CACHE, str(server.folder.parent / "second"))
    originals.fetch(entry, "big.gz")
    out, err = capsys.readouterr()
    assert out == "" and "big.gz" in err and "100k" in err


def test_unknown_name():
    with pytest.raises(ValueError, match=r"'imagenet'.*'fashion_mnist'"):
        data.original("imagenet")


def test_read_idx_round_trip(tmp_path):
    a = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "a.gz").write_bytes(idx_bytes(a))
    np.testing.assert_array_equal(originals.read_idx(tmp_path / "a.gz"), a)


GOOD = gzip.decompress(idx_bytes(np.zeros((2, 3), np.uint8)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"plain", "not a complete gzip"),
        (gzip.compress(GOOD)[:-9], "not a complete gzip"),
        (gzip.compress(GOOD[:-1]), r"states the shape \(2, 3\)"),
        (gzip.compress(GOOD + b"x"), r"states the shape \(2, 3\)"),
        (gzip.compress(b"\0\0\x0d" + GOOD[3:]), "not an IDX file of bytes"),
        (gzip.compress(GOOD[:2]), "not an IDX file of bytes"),
        (gzip.compress(GOOD[:8]), "not an IDX file of bytes"),
    ],
    ids=["plain", "cut gzip", "short", "long", "floats", "two bytes", "no shape"],
)
def test_read_idx_names_a_bad_file(tmp_path, content, message):
    (tmp_path / "bad.gz").write_bytes(content)
    with pytest.raises(ValueError, match=f"bad.gz.*{message}"):
        originals.read_idx(tmp_path / "bad.gz")


@pytest.mark.parametrize("options", [{"skip": "data_batch_3.bin"}, {"cut": 1}])
def test_read_cifar10_names_what_is_missing(tmp_path, options):
    cifar_file(tmp_path / "c.tar.gz", **options)
    with pytest.raises(ValueError, match=r"c\.tar\.gz.*data_batch_3\.bin.*missing"):
        originals.read_cifar10(tmp_path / "c.tar.gz")


def test_every_entry_states_sums_source_and_licence():
    for entry in originals.ORIGINALS.values():
        assert all(len(bytes.fromhex(sum_)) == 32 for sum_ in entry.files.values())
        assert entry.source and entry.licence and len(entry.class_names) == 10
