"""Full data sets, downloaded once on request: MNIST, Fashion-MNIST, CIFAR-10.

Each file is checked against its SHA-256 and kept in the folder named by the
environment variable COURSE_UTILS_CACHE (otherwise in the user's cache). Files
are read as plain bytes: nothing is unpickled, nothing unpacked to disk. A
progress bar is drawn unless CI or COURSE_UTILS_QUIET is set. No chapter needs
this module: each has packaged data that stand in.
"""

import gzip
import math
import os
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from course_utils.dataset import Dataset, from_splits, ranks

CACHE, QUIET = "COURSE_UTILS_CACHE", ("CI", "COURSE_UTILS_QUIET")
VALIDATION_SHARE = 0.15  # of the published training examples


@dataclass(frozen=True)
class Original:
    """One downloadable data set: where it is and how its files are read.

    `files` maps file names under `base_url` to SHA-256 sums; `read` turns their
    local paths, in that order, into ((x, y), (x, y)), training and test.
    """

    title: str
    base_url: str
    files: dict[str, str]
    read: Callable
    class_names: tuple[str, ...]
    packaged: str
    source: str
    licence: str


def load(name: str, seed: int = 0) -> Dataset:
    """Return the full data set `name`, downloading it where it is not cached.

    `x` (n, d) float32, normalised by one mean and standard deviation; raw values
    are grey or colour levels 0 .. 255. The test split is the published one; 15 %
    of the published training examples, stratified by `seed`, are validation.
    Raises ValueError for an unknown name or a corrupted file, ConnectionError
    without a network, OSError (PermissionError ...) where the cache folder cannot
    be written.
    """
    if name not in ORIGINALS:
        raise ValueError(f"unknown data set {name!r}: choose from {list(ORIGINALS)}")
    entry = ORIGINALS[name]
    (x, y), test = entry.read(*[fetch(entry, file) for file in entry.files])
    order, rank, size = ranks(y, seed)
    held_out = (rank + 0.5) / size >= 1 - VALIDATION_SHARE  # (n,)
    train, validation = order[~held_out], order[held_out]
    return from_splits(
        entry.title, (x[train], y[train]), (x[validation], y[validation]), test,
        entry.class_names, source=entry.source, licence=entry.licence,
    )  # fmt: skip


def fetch(entry: Original, file: str) -> Path:
    """Return the local path of a checked `file`, downloading it if need be."""
    import pooch
    from requests.exceptions import RequestException
    from tqdm import tqdm

    folder = Path(os.environ.get(CACHE) or pooch.os_cache("course_utils"))
    url = entry.base_url + file
    quiet = any(os.environ.get(variable) for variable in QUIET)
    pooch.get_logger().setLevel("WARNING")
    with tqdm(desc=file, total=1, unit="B", unit_scale=True, disable=quiet) as bar:
        get = pooch.HTTPDownloader(progressbar=bar, chunk_size=2**16, timeout=30)
        try:
            path = pooch.retrieve(
                url, f"sha256:{entry.files[file]}", file, folder, downloader=get
            )
        except RequestException as error:  # before OSError: it is one
            raise ConnectionError(
                f"{entry.title}: could not download {url} ({error}). Check the "
                f"network and try again, or use {entry.packaged}, which needs none."
            ) from error
        except ValueError as error:
            raise ValueError(
                f"{entry.title}: the download of {url} is corrupted or has changed: "
                "its SHA-256 is not the expected one, and it was not kept. Try "
                f"again, or use {entry.packaged}."
            ) from error
        except OSError as error:
            raise OSError(
                error.errno,
                f"{entry.title}: cannot keep {file} in {folder} ({error.strerror}). "
                "Free some space, or set the environment variable "
                f"{CACHE} to a folder that can be written.",
            ) from error
    return Path(path)


def read_idx(path: Path) -> np.ndarray:
    """Read one gzipped IDX file of bytes (the format of MNIST) as uint8.

    Header: two zero bytes, type 8 (unsigned byte), the number of dimensions,
    then each dimension as a big-endian 32-bit integer. Raises ValueError naming
    the file where header and length do not agree.
    """
    try:
        content = gzip.decompress(Path(path).read_bytes())
    except (gzip.BadGzipFile, EOFError) as error:
        raise ValueError(f"{path} is not a complete gzip file: delete it") from error
    start = 4 + 4 * content[3] if len(content) >= 4 else 4
    shape = tuple(np.frombuffer(content[4 : min(start, len(content))], ">u4").tolist())
    if content[:3] != b"\0\0\x08" or len(content) != start + math.prod(shape):
        raise ValueError(
            f"{path} is not an IDX file of bytes: it has {len(content)} bytes and "
            f"states the shape {shape}: delete it and load it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def read_mnist(train_images, train_labels, test_images, test_labels):
    """Read four IDX files: images (n, 28, 28) and labels (n,), train and test."""
    return (
        (read_idx(train_images), read_idx(train_labels)),
        (read_idx(test_images), read_idx(test_labels)),
    )


def read_cifar10(archive: Path):
    """Read the binary archive: images (n, 32, 32, 3) and labels (n,), train, test.

    A record is 3,073 bytes: the label, then the red, green and blue planes. The
    members are read in place and by name; nothing is written to disk.
    """
    train, test = [f"data_batch_{k}.bin" for k in range(1, 6)], ["test_batch.bin"]
    found = {}
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            file = PurePosixPath(member.name).name
            if member.isfile() and file in train + test:
                found[file] = np.frombuffer(tar.extractfile(member).read(), np.uint8)
    bad = [f for f in train + test if f not in found or found[f].size % 3073]
    if bad:
        raise ValueError(f"{archive}: {', '.join(bad)} missing or cut: delete it")

    def pair(files):
        records = np.concatenate([found[file] for file in files]).reshape(-1, 3073)
        planes = records[:, 1:].reshape(-1, 3, 32, 32)
        return planes.transpose(0, 2, 3, 1), records[:, 0]

    return pair(train), pair(test)


_IDX = [f"{part}-ubyte.gz" for part in (
    "train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"
)]  # fmt: skip
ORIGINALS = {
    "mnist": Original(
        "MNIST", "https://storage.googleapis.com/cvdf-datasets/mnist/",
        dict(zip(_IDX, (
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
        ), strict=True)),
        read_mnist, tuple("0123456789"), "data.mnist() (5,000 of these digits)",
        "LeCun et al. (1998), Proceedings of the IEEE 86(11), 2278-2324",
        "CC BY-SA 3.0",
    ),
    "fashion_mnist": Original(
        "Fashion-MNIST",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        dict(zip(_IDX, (
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ), strict=True)),
        read_mnist,
        ("T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt",
         "sneaker", "bag", "ankle boot"),
        "data.mnist() (5,000 digits of the same size)",
        "Xiao, Rasul and Vollgraf (2017), arXiv:1708.07747", "MIT",
    ),
    "cifar10": Original(
        "CIFAR-10", "https://www.cs.toronto.edu/~kriz/",
        {"cifar-10-binary.tar.gz":
         "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"},
        read_cifar10,
        ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse",
         "ship", "truck"),
        "data.mnist() or data.digits() (grey images)",
        "Krizhevsky (2009), Learning multiple layers of features from tiny images",
        "not stated by its authors",
    ),
}  # fmt: skip
