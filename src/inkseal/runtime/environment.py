"""Which environment variables a child process gets; keys and passwords are not among them."""

import os

_KEPT = frozenset(
    {
        "HOME",
        "INKSEAL_LANGUAGE",
        "LANG",
        "LD_LIBRARY_PATH",
        "PATH",
        "PYTHONHOME",
        "PYTHONPATH",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "TMPDIR",
    }
)
_KEPT_BEGINNINGS = ("CUDA_", "HIP_", "KMP_", "LC_", "MKL_", "OMP_", "OPENBLAS_", "ROCR_")
"""What says which devices and how many threads numerical libraries use."""


def child_environment() -> dict[str, str]:
    """Returns the variables of this process that a child may know."""
    return {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)}
