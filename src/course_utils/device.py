"""Find the hardware, and say why it was chosen.

`find_device` takes a CUDA GPU where the framework sees one, otherwise the CPU;
an Apple GPU (MPS) only when asked, since its operators differ in coverage. The
framework is imported inside the function: this module costs nothing to import,
trains nothing and moves nothing to the device that it finds.
"""

import importlib
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FRAMEWORKS = {"torch": "PyTorch", "tensorflow": "TensorFlow"}


@dataclass(frozen=True)
class Device:
    """A device and why it was chosen; `print` shows it as one line.

    `kind` is "cuda", "mps" or "cpu"; `memory` is in bytes, 0 where unknown;
    `precision`, "bfloat16", "float16" or "float32", is what mixed-precision
    training should compute in ("float16" needs loss scaling).
    """

    kind: str
    name: str
    memory: int
    precision: str
    reason: str

    def __str__(self) -> str:
        size = f"{self.memory / 2**30:.0f} GiB" if self.memory else "memory unknown"
        return f"{self.kind}: {self.name} ({size}), {self.precision} - {self.reason}"


def find_device(framework: str = "torch", allow_mps: bool = False) -> Device:
    """Return the device that `framework` should use, with the reason.

    Parameters: `framework`, "torch" or "tensorflow"; `allow_mps`, whether an
    Apple GPU may be chosen. TensorFlow is told to let its GPU memory grow rather
    than to take it all, which works only before it first uses the GPU; where that
    came too late, `reason` says so.
    Raises ValueError for an unknown framework, ImportError where it is missing.
    Source: NVIDIA, "CUDA C++ Programming Guide", compute capabilities (float16
    tensor cores from 7.0, bfloat16 from 8.0).
    """
    if framework not in FRAMEWORKS:
        raise ValueError(
            f"unknown framework {framework!r}: choose from {list(FRAMEWORKS)}"
        )
    try:
        module = importlib.import_module(framework)
    except ImportError as error:
        raise ImportError(
            f"{FRAMEWORKS[framework]} cannot be imported ({error}): install it with "
            f"pip install {framework}"
        ) from error
    find = _find_torch if framework == "torch" else _find_tensorflow
    return find(module, allow_mps)


def _find_torch(torch, allow_mps):
    reason = "no CUDA GPU was found by PyTorch"
    if torch.cuda.is_available():
        try:
            properties = torch.cuda.get_device_properties(0)
            precision, why = _precision((properties.major, properties.minor))
            return Device(
                "cuda", properties.name, properties.total_memory, precision,
                f"PyTorch found a CUDA GPU; {why}",
            )  # fmt: skip
        except RuntimeError as error:
            reason = f"PyTorch found a CUDA GPU but cannot use it ({_line(error)})"
    if torch.backends.mps.is_available():
        if allow_mps:
            return _mps("an Apple GPU was asked for and found by PyTorch")
        reason += "; its Apple GPU (MPS) is used only with allow_mps=True"
    elif allow_mps:
        reason += ", and no Apple GPU (MPS) either"
    return _cpu(reason)


def _find_tensorflow(tf, allow_mps):
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        either = ", and no Apple GPU (MPS) either" if allow_mps else ""
        return _cpu(f"no CUDA GPU was found by TensorFlow{either}")
    if sys.platform == "darwin" and not allow_mps:
        late = _try(lambda: tf.config.set_visible_devices([], "GPU"), "hidden")
        return _cpu(f"the Apple GPU (MPS) is used only with allow_mps=True{late}")
    growth = tf.config.experimental.set_memory_growth
    late = _try(lambda: [growth(gpu, True) for gpu in gpus], "told to grow its memory")
    if sys.platform == "darwin":
        return _mps(f"an Apple GPU was asked for and found by TensorFlow{late}")
    details = tf.config.experimental.get_device_details(gpus[0])
    name = details.get("device_name", "CUDA GPU")
    precision, why = _precision(details.get("compute_capability"))
    return Device(
        "cuda", name, _gpu_memory(name), precision,
        f"TensorFlow found a CUDA GPU; {why}{late}",
    )  # fmt: skip


def _precision(capability):
    """Precision for a GPU of compute capability (major, minor), and why."""
    if capability is None:
        return "float32", "its compute capability is unknown"
    version = "compute capability {}.{}".format(*capability)
    if tuple(capability) >= (8, 0):
        return "bfloat16", f"{version} has bfloat16"
    if tuple(capability) >= (7, 0):
        return "float16", f"{version} has float16 (use loss scaling) but no bfloat16"
    return "float32", f"{version} gains nothing from a lower precision"


def _try(act, what):
    """Run a setting that comes too late once a GPU is in use; say so if it did."""
    try:
        act()
    except RuntimeError as error:
        return (
            f"; it could not be {what} ({_line(error)}): restart and call "
            "find_device first"
        )
    return ""


def _line(error):
    """The first line of an error's message, without its full stop."""
    return (str(error).strip().splitlines() or [repr(error)])[0].rstrip(".")


def _cpu(reason):
    return Device("cpu", _cpu_name(), _memory(), "float32", reason)


def _mps(reason):
    return Device("mps", _cpu_name(), _memory(), "float32", reason)


def _cpu_name(cpuinfo="/proc/cpuinfo"):
    """The processor's name: from Linux's table, else as Python knows it."""
    try:
        for line in Path(cpuinfo).read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    except OSError:
        pass  # no such table: macOS, Windows
    return platform.processor() or platform.machine() or "unknown processor"


def _memory():
    """Main memory in bytes; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return 0


def _gpu_memory(name):
    """Memory in bytes of the GPU called `name`, which TensorFlow does not tell."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        run = subprocess.run(query, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    for line in run.stdout.splitlines():
        found, _, size = line.rpartition(", ")
        if found == name and size.endswith(" MiB"):
            return int(size.removesuffix(" MiB")) * 2**20
    return 0
