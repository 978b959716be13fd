"""TensorFlow, imported without its start-up lines.

TensorFlow's C++ side writes three or four lines to file descriptor 2 while it is
imported and when it first looks for a GPU, whatever the log level. They say which CPU
instructions it uses and that it found no GPU, which ``device.find_device`` says
better. Only these known lines are dropped; any other line is written to stderr as it
came.
"""

import os
import re
import sys
import tempfile

# Lines that every import on a healthy machine prints.
_KNOWN = re.compile(
    r"oneDNN custom operations are on"
    r"|binary is optimized to use available CPU instructions"
    r"|To enable the following instructions"
    r"|All log messages before absl::InitializeLog"
    r"|Could not find cuda drivers on your machine"
    r"|Unable to register cu\w+ (plugin )?factory"
    r"|computation placer already registered"
    r"|failed call to cuInit|CUDA_ERROR_NO_DEVICE"
    r"|If you see numerical differences|set.*TF_ENABLE_ONEDNN_OPTS=0"
)


def _import():
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            import tensorflow

            tensorflow.config.list_physical_devices()  # looks for GPUs, starts none
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            caught.seek(0)
            lines = caught.read().decode(errors="replace").splitlines()
            for line in lines:
                if line.strip() and not _KNOWN.search(line):
                    print(line, file=sys.stderr)
    return tensorflow


# Information (such as "Compiled cluster using XLA") is left out, warnings are not.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
tf = _import()
keras = tf.keras
