"""Draws the picture model's networks for OpenVINO: written apart from the torch ones, so that parity proves both."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from inkseal.nets.shapes import AutoencoderShape, DiffusionTransformerShape, TextImageShape
from inkseal.workshop.publish.layers import Array, Layers, Node


def draw_transformer(weights: Mapping[str, Array], shape: DiffusionTransformerShape) -> Any:
    """Returns the graph z [B, C, S, S], t [B], condition [B, 9, D], mask [B, 9] as 0 and 1, style [B] → velocities.

    Source: see `nets.diffusion_transformer`.
    """
    import openvino

    draw = Layers(weights, "transformer.")
    ov = draw.ov
    z = ov.parameter([-1, shape.channels, shape.side, shape.side], np.float32, name="z")
    t = ov.parameter([-1], np.float32, name="t")
    condition = ov.parameter([-1, shape.num_tokens, shape.text_width], np.float32, name="condition")
    mask = ov.parameter([-1, shape.num_tokens], np.float32, name="mask")
    style = ov.parameter([-1], np.int64, name="style")
    scaled = ov.multiply(condition, draw.scalar(shape.text_width**0.5))
    features = _time_features(draw, t)
    rough = ov.multiply(_linear(draw, t), z)
    sketched = None
    if shape.sketch_width:
        sketched = _sketch(draw, z, features, _pooled(draw, scaled, mask, style, "sketch.pooled"), shape)
        rough = ov.add(rough, sketched)
    velocity = rough
    if shape.depth:
        velocity = ov.add(rough, _of_blocks(draw, z, sketched, features, scaled, mask, style, shape))
    results = [ov.result(velocity, name="velocity"), ov.result(rough, name="rough")]
    return openvino.Model(results, [z, t, condition, mask, style], "transformer")


def _linear(draw: Layers, t: Node) -> Node:
    """Returns what the best linear velocity multiplies the latent by, [B, 1, 1, 1]."""
    ov = draw.ov
    rest = ov.subtract(draw.scalar(1), t)
    variance = ov.add(ov.multiply(t, t), ov.multiply(rest, rest))
    return ov.unsqueeze(ov.divide(ov.subtract(t, rest), variance), draw.numbers(1, 2, 3))


def _of_blocks(
    draw: Layers,
    z: Node,
    sketched: Node | None,
    features: Node,
    scaled: Node,
    mask: Node,
    style: Node,
    shape: DiffusionTransformerShape,
) -> Node:
    ov = draw.ov
    grid = shape.side // shape.patch
    num_patches = grid**2
    time = draw.linear(ov.swish(draw.linear(features, "time.0")), "time.2")
    known = ov.swish(ov.add(time, _pooled(draw, scaled, mask, style, "pooled")))
    steering = draw.linear(known, "steering")
    patches = ov.add(draw.linear(_folded(draw, z, shape), "patches"), draw.array(_places(shape)))
    if sketched is not None:
        patches = ov.add(patches, draw.linear(_folded(draw, sketched, shape), "sketched"))
    x = ov.concat([patches, ov.add(draw.linear(scaled, "words"), draw.weight("word_places"))], 1)
    hidden = _hidden(draw, mask, num_patches)
    for number in range(shape.depth):
        x = _block(draw, x, steering, hidden, f"blocks.{number}.", shape)
    rows = ov.slice(x, draw.numbers(0), draw.numbers(num_patches), draw.numbers(1), draw.numbers(1))
    shift, scale = draw.parts(ov.unsqueeze(draw.linear(known, "modulation"), draw.numbers(1)), 2, 2)
    out = draw.linear(draw.modulated(draw.layer_norm(rows), scale, shift), "head")
    tall = ov.reshape(ov.transpose(out, draw.numbers(0, 2, 1)), draw.numbers(0, -1, grid, grid), True)
    return draw.grown(tall, shape.patch)


def _time_features(draw: Layers, t: Node) -> Node:
    from inkseal.nets.time_features import SLOWEST, TIME_FREQUENCIES

    ov = draw.ov
    frequencies = np.exp(-np.log(SLOWEST) * np.arange(TIME_FREQUENCIES) / TIME_FREQUENCIES)
    angles = ov.multiply(ov.unsqueeze(t, draw.numbers(1)), draw.array(1000 * frequencies[None]))
    return ov.concat([ov.cos(angles), ov.sin(angles)], 1)


def _pooled(draw: Layers, scaled: Node, mask: Node, style: Node, name: str) -> Node:
    """Returns the caption and the mean of its words, with the style, as one vector [B, D]."""
    ov = draw.ov
    seen = ov.unsqueeze(mask, draw.numbers(2))
    shown = ov.multiply(scaled, seen)

    def places(x: Node, start: int, stop: int) -> Node:
        return ov.slice(x, draw.numbers(start), draw.numbers(stop), draw.numbers(1), draw.numbers(1))

    caption = ov.squeeze(places(shown, 0, 1), draw.numbers(1))
    count = ov.maximum(ov.reduce_sum(places(seen, 1, 2**31), draw.numbers(1)), draw.scalar(1))
    words = ov.divide(ov.reduce_sum(places(shown, 1, 2**31), draw.numbers(1)), count)
    text = draw.linear(ov.concat([caption, words], 1), f"{name}.text")
    styles = ov.gather(draw.weight(f"{name}.style.weight"), style, ov.constant(np.int64(0)))
    return draw.linear(ov.swish(ov.add(text, styles)), f"{name}.out")


def _sketch(draw: Layers, z: Node, features: Node, pooled: Node, shape: DiffusionTransformerShape) -> Node:
    """Returns the velocity that the perceptron over the whole latent says, [B, C, S, S]. Source: see `nets.sketch`."""
    ov = draw.ov
    flat = ov.reshape(z, draw.numbers(0, shape.channels * shape.side**2), True)
    x = ov.add(ov.add(draw.linear(flat, "sketch.start"), draw.linear(features, "sketch.time")), pooled)
    for number in range(shape.sketch_depth):
        name = f"sketch.layers.{number}"
        x = ov.add(x, draw.linear(ov.swish(draw.linear(draw.layer_norm(x), f"{name}.inner")), f"{name}.out"))
    out = draw.linear(draw.layer_norm(x), "sketch.head")
    return ov.reshape(out, draw.numbers(0, shape.channels, shape.side, shape.side), True)


def _folded(draw: Layers, z: Node, shape: DiffusionTransformerShape) -> Node:
    """Returns the latent's patches [B, T, C·patch²], rows first."""
    ov = draw.ov
    flat = ov.reshape(draw.folded(z, shape.patch), draw.numbers(0, shape.channels * shape.patch**2, -1), True)
    return ov.transpose(flat, draw.numbers(0, 2, 1))


def _places(shape: DiffusionTransformerShape) -> Array:
    """Returns where each patch lies, [T, D]."""
    from inkseal.nets.diffusion_transformer import grid_features

    found: Array = grid_features(shape.side // shape.patch, shape.width).numpy()
    return found


def _hidden(draw: Layers, mask: Node, num_patches: int) -> Node:
    """Returns what is added to products with each place, [B, 1, 1, T]: 0 where one may look, else the least."""
    from inkseal.nets.diffusion_transformer import HIDDEN

    ov = draw.ov
    words = ov.multiply(ov.subtract(draw.scalar(1), mask), draw.scalar(HIDDEN))
    whole = ov.pad(words, [0, num_patches], [0, 0], "constant", draw.scalar(0))
    return ov.unsqueeze(whole, draw.numbers(1, 2))


def _block(draw: Layers, x: Node, steering: Node, hidden: Node, name: str, shape: DiffusionTransformerShape) -> Node:
    ov = draw.ov
    own = ov.unsqueeze(ov.add(steering, draw.weight(f"{name}offsets")), draw.numbers(1))
    shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = draw.parts(own, 6, 2)
    seen = _attention(draw, draw.modulated(draw.layer_norm(x), scale_a, shift_a), hidden, f"{name}attention.", shape)
    x = ov.add(x, ov.multiply(gate_a, seen))
    inner = ov.relu(draw.linear(draw.modulated(draw.layer_norm(x), scale_m, shift_m), f"{name}mlp.0"))
    return ov.add(x, ov.multiply(gate_m, draw.linear(ov.multiply(inner, inner), f"{name}mlp.2")))


def _attention(draw: Layers, x: Node, hidden: Node, name: str, shape: DiffusionTransformerShape) -> Node:
    ov = draw.ov
    head_width = shape.width // shape.heads
    split = ov.reshape(draw.linear(x, f"{name}qkv"), draw.numbers(0, 0, 3, shape.heads, head_width), True)
    parts = draw.parts(ov.transpose(split, draw.numbers(2, 0, 3, 1, 4)), 3, 0)
    query, key, value = (ov.squeeze(part, draw.numbers(0)) for part in parts)
    query = ov.multiply(draw.layer_norm(query), draw.weight(f"{name}query_norm.weight"))
    key = ov.multiply(draw.layer_norm(key), draw.weight(f"{name}key_norm.weight"))
    products = ov.multiply(ov.matmul(query, key, False, True), draw.scalar(head_width**-0.5))
    seen = ov.matmul(ov.softmax(ov.add(products, hidden), 3), value, False, False)
    joined = ov.reshape(ov.transpose(seen, draw.numbers(0, 2, 1, 3)), draw.numbers(0, 0, shape.width), True)
    return draw.linear(joined, f"{name}out")


def draw_decoder(weights: Mapping[str, Array], shape: AutoencoderShape, mean: Array, std: Array) -> Any:
    """Returns the graph from latents of unit variance [B, C, S, S] to pictures [B, 3, 8S, 8S], about -1 to 1.

    Args:
        weights: with those of the autoencoder.
        shape: of the autoencoder.
        mean, std: [C], which undo the scaling of the latents.
    """
    import openvino

    draw = Layers(weights, "autoencoder.")
    ov = draw.ov
    z = ov.parameter([-1, shape.latent_channels, -1, -1], np.float32, name="z")
    latent = ov.add(ov.multiply(z, draw.array(std[None, :, None, None])), draw.array(mean[None, :, None, None]))
    x = draw.convolution(latent, "from_latent")
    for level, num_blocks in enumerate(shape.decoder_blocks[::-1]):
        if level:
            x = draw.grown(draw.convolution(x, f"decoder.ups.{level - 1}"))
        for block in range(num_blocks):
            x = draw.residual(x, f"decoder.levels.{level}.{block}", shape.groups)
    ready = ov.swish(draw.group_norm(x, "decoder.norm", shape.groups))
    pixels = draw.grown(draw.convolution(ready, "decoder.head"))
    return openvino.Model([ov.result(pixels)], [z], "decoder")


def draw_picture_tower(weights: Mapping[str, Array], shape: TextImageShape) -> Any:
    """Returns the graph from pictures [B, 3, H, W] in [-1, 1] to unit vectors [B, D]."""
    import openvino

    draw = Layers(weights, "encoder.")
    ov = draw.ov
    pixels = ov.parameter([-1, 3, -1, -1], np.float32, name="pixels")
    x = draw.convolution(draw.folded(pixels), "pictures.stem.1")
    for level, num_blocks in enumerate(shape.blocks):
        if level:
            x = draw.convolution(x, f"pictures.downs.{level - 1}", stride=2)
        for block in range(num_blocks):
            x = draw.residual(x, f"pictures.levels.{level}.{block}", shape.groups)
    hidden = ov.swish(draw.group_norm(x, "norm", shape.groups))
    axes = draw.numbers(2, 3)
    pooled = ov.concat([ov.reduce_mean(hidden, axes), ov.reduce_max(hidden, axes)], 1)
    return openvino.Model([ov.result(draw.unit(draw.linear(pooled, "from_picture")))], [pixels], "pictures")


def draw_text_tower(weights: Mapping[str, Array], shape: TextImageShape) -> Any:
    """Returns the graph from text vectors [B, text_width] to unit vectors [B, D]."""
    import openvino

    draw = Layers(weights, "encoder.")
    ov = draw.ov
    vectors = ov.parameter([-1, shape.text_width], np.float32, name="vectors")
    inner = ov.gelu(draw.linear(ov.multiply(vectors, draw.scalar(shape.text_width**0.5)), "texts.0"), "erf")
    return openvino.Model([ov.result(draw.unit(draw.linear(inner, "texts.2")))], [vectors], "texts")
