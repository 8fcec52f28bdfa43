"""Writes small enlarging networks in ncnn's two files, and answers as they should, with torch."""

from pathlib import Path
from typing import Any

import numpy as np

HALF_TAG, PLAIN_TAG = 0x01306B47, 0


def convolution(rng: np.random.Generator, outputs: int, inputs: int, *, half: bool) -> tuple[bytes, Any, Any]:
    """Returns the bytes of a 3×3 convolution's weights, its kernel and its bias."""
    kernel = (rng.standard_normal((outputs, inputs, 3, 3)) * 0.2).astype(np.float16).astype(np.float32)
    bias = rng.standard_normal(outputs).astype(np.float32) * 0.1
    if half:
        data = kernel.astype("<f2").tobytes()
        data = HALF_TAG.to_bytes(4, "little") + data + b"\0" * (-len(data) % 4)
    else:
        data = PLAIN_TAG.to_bytes(4, "little") + kernel.astype("<f4").tobytes()
    return data + bias.astype("<f4").tobytes(), kernel, bias


def enlarger(folder: Path, width: int = 5, seed: int = 0) -> tuple[list[str], list[Any]]:
    """Writes `m.param` and `m.bin`: two convolutions with slopes between, shuffled to four times the size.

    Returns the lines of the text, and the arrays: kernel, bias, slopes, kernel, bias.
    """
    rng = np.random.default_rng(seed)
    first, kernel_a, bias_a = convolution(rng, width, 3, half=True)
    slopes = rng.random(width).astype(np.float32)
    second, kernel_b, bias_b = convolution(rng, 48, width, half=False)
    lines = [
        "7767517",
        "8 9",
        "Input data 0 1 data",
        "Split cut 1 2 data data_0 data_1",
        f"Convolution a 1 1 data_1 1 0={width} 1=3 4=1 5=1 6={kernel_a.size}",
        f"PReLU p 1 1 1 2 0={width}",
        f"Convolution b 1 1 2 3 0=48 1=3 4=1 5=1 6={kernel_b.size}",
        "PixelShuffle s 1 1 3 4 0=4",
        "Interp i 1 1 data_0 5 0=1 1=4.000000e+00 2=4.000000e+00",
        "BinaryOp sum 2 1 4 5 out",
    ]
    (folder / "m.param").write_text("\n".join(lines) + "\n")
    (folder / "m.bin").write_bytes(first + slopes.astype("<f4").tobytes() + second)
    return lines, [kernel_a, bias_a, slopes, kernel_b, bias_b]
