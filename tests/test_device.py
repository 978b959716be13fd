"""device: every branch with stand-ins for the frameworks, the CPU for real."""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from course_utils import device

GIB = 2**30


def _raise(error):
    raise error


def fake_torch(capability=None, mps=False, broken=None):
    """PyTorch with a GPU of `capability`, an Apple GPU, or a broken driver."""

    def properties(index):
        if broken:
            raise RuntimeError(broken)
        major, minor = capability
        return SimpleNamespace(
            name="Fake GPU", total_memory=16 * GIB, major=major, minor=minor
        )

    there = capability is not None or broken is not None
    cuda = SimpleNamespace(is_available=lambda: there, get_device_properties=properties)
    apple = SimpleNamespace(is_available=lambda: mps)
    return SimpleNamespace(cuda=cuda, backends=SimpleNamespace(mps=apple))


def fake_tensorflow(gpus=(), capability=None, late=None):
    """TensorFlow with `gpus`; `late` is its error once it has used them."""
    grown = []

    def grow(gpu, on):
        if late:
            raise RuntimeError(late)
        grown.append((gpu, on))

    details = {"device_name": "Fake GPU"}
    if capability:
        details["compute_capability"] = capability
    experimental = SimpleNamespace(
        set_memory_growth=grow, get_device_details=lambda gpu: details
    )
    config = SimpleNamespace(
        list_physical_devices=lambda kind: list(gpus),
        experimental=experimental,
        set_visible_devices=lambda shown, kind: grown.append((kind, shown)),
    )
    return SimpleNamespace(config=config, grown=grown)


@pytest.fixture
def find(monkeypatch):
    def with_module(name, module, **options):
        monkeypatch.setitem(sys.modules, name, module)
        return device.find_device(name, **options)

    return with_module


@pytest.mark.parametrize(
    ("capability", "precision", "why"),
    [
        ((9, 0), "bfloat16", "9.0 has bfloat16"),
        ((8, 0), "bfloat16", "8.0 has bfloat16"),
        ((7, 5), "float16", "loss scaling"),
        ((7, 0), "float16", "loss scaling"),
        ((6, 1), "float32", "6.1 gains nothing"),
    ],
)
def test_cuda_precision(find, monkeypatch, capability, precision, why):
    monkeypatch.setattr(device, "_gpu_memory", lambda name: 16 * GIB)
    by_torch = find("torch", fake_torch(capability))
    by_tf = find("tensorflow", fake_tensorflow(["GPU:0"], capability))
    for found, framework in [(by_torch, "PyTorch"), (by_tf, "TensorFlow")]:
        assert (found.kind, found.name) == ("cuda", "Fake GPU")
        assert (found.memory, found.precision) == (16 * GIB, precision)
        assert why in found.reason
        assert found.reason.startswith(f"{framework} found a CUDA GPU")
    assert str(by_torch).startswith(f"cuda: Fake GPU (16 GiB), {precision} - PyTorch")


def test_cuda_comes_before_mps(find):
    assert find("torch", fake_torch((8, 0), mps=True), allow_mps=True).kind == "cuda"


def test_torch_broken_cuda_falls_back_and_says_why(find):
    found = find("torch", fake_torch(broken="driver too old\nsecond line"))
    assert found.kind == "cpu"
    assert found.reason.endswith("cannot use it (driver too old)")


def test_torch_mps_only_when_asked(find):
    module = fake_torch(mps=True)
    found = find("torch", module)
    assert found.kind == "cpu" and "only with allow_mps=True" in found.reason
    found = find("torch", module, allow_mps=True)
    assert (found.kind, found.precision) == ("mps", "float32")
    assert "asked for" in found.reason


@pytest.mark.parametrize("module", [fake_torch(), fake_tensorflow()])
def test_asked_for_mps_but_there_is_none(find, module):
    name = "torch" if hasattr(module, "cuda") else "tensorflow"
    found = find(name, module, allow_mps=True)
    assert found.kind == "cpu" and "no Apple GPU" in found.reason
    assert "Apple" not in find(name, module).reason


def test_tensorflow_grows_the_memory_of_every_gpu(find):
    tf = fake_tensorflow(["GPU:0", "GPU:1"], (8, 0))
    assert "could not" not in find("tensorflow", tf).reason
    assert tf.grown == [("GPU:0", True), ("GPU:1", True)]


def test_tensorflow_too_late_to_grow_is_said(find):
    tf = fake_tensorflow(["GPU:0"], (8, 0), late="Physical devices were initialized.")
    found = find("tensorflow", tf)
    assert found.kind == "cuda"
    assert "could not be told to grow its memory (Physical devices" in found.reason


def test_tensorflow_without_capability(find):
    found = find("tensorflow", fake_tensorflow(["GPU:0"]))
    assert found.precision == "float32" and "unknown" in found.reason


def test_tensorflow_on_apple(find, monkeypatch):
    monkeypatch.setattr(device.sys, "platform", "darwin")
    tf = fake_tensorflow(["GPU:0"])
    found = find("tensorflow", tf)
    assert found.kind == "cpu" and "allow_mps=True" in found.reason
    assert tf.grown == [("GPU", [])]  # hidden, so that nothing runs on it
    assert find("tensorflow", tf, allow_mps=True).kind == "mps"


def test_tensorflow_on_apple_too_late_to_hide(find, monkeypatch):
    monkeypatch.setattr(device.sys, "platform", "darwin")
    tf = fake_tensorflow(["GPU:0"])
    tf.config.set_visible_devices = lambda *_: _raise(RuntimeError("initialized"))
    assert "could not be hidden (initialized)" in find("tensorflow", tf).reason


def test_unknown_framework():
    with pytest.raises(ValueError, match=r"'jax'.*choose from.*torch.*tensorflow"):
        device.find_device("jax")


@pytest.mark.parametrize("name", ["torch", "tensorflow"])
def test_missing_framework(find, name):
    with pytest.raises(ImportError, match=f"pip install {name}"):
        find(name, None)


def test_cpu_name(tmp_path, monkeypatch):
    table = tmp_path / "cpuinfo"
    table.write_text("vendor_id : X\nmodel name\t: Fast  CPU 9\n")
    assert device._cpu_name(table) == "Fast CPU 9"
    monkeypatch.setattr(device.platform, "processor", lambda: "arm")
    assert device._cpu_name(tmp_path / "none") == "arm"
    table.write_text("processor : 0\n")
    assert device._cpu_name(table) == "arm"
    monkeypatch.setattr(device.platform, "processor", lambda: "")
    monkeypatch.setattr(device.platform, "machine", lambda: "aarch64")
    assert device._cpu_name(table) == "aarch64"


def test_memory_unknown(monkeypatch):
    monkeypatch.setattr(device.os, "sysconf", lambda key: _raise(ValueError(key)))
    assert device._memory() == 0
    shown = str(device.Device("cpu", "X", 0, "float32", "why"))
    assert shown == "cpu: X (memory unknown), float32 - why"


def test_gpu_memory(monkeypatch):
    table = SimpleNamespace(stdout="Other, 1 MiB\nFake GPU, 16384 MiB\n")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: table)
    assert device._gpu_memory("Fake GPU") == 16 * GIB
    assert device._gpu_memory("Unknown GPU") == 0
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: _raise(FileNotFoundError()))
    assert device._gpu_memory("Fake GPU") == 0


def test_the_real_machine_with_torch():
    torch = pytest.importorskip("torch")
    found = device.find_device("torch")
    assert (found.kind == "cuda") == torch.cuda.is_available()
    assert found.memory > 2**28 and found.name
    line = rf"{found.kind}: .+ \(\d+ GiB\), {found.precision} - .+"
    assert re.fullmatch(line, str(found))
    if found.kind == "cpu":
        assert found.precision == "float32"
        assert found.reason.startswith("no CUDA GPU was found by PyTorch")
