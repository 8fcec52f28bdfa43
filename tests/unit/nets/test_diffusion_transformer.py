"""The diffusion transformer against torch's attention, closed forms and its own promises."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from inkseal.nets.diffusion_transformer import (  # noqa: E402
    Attention,
    Block,
    DiffusionTransformer,
    grid_features,
)
from inkseal.nets.noise_schedules import linear_velocity  # noqa: E402
from inkseal.nets.shapes import DiffusionTransformerShape  # noqa: E402
from inkseal.nets.sketch import Sketch  # noqa: E402
from inkseal.nets.time_features import time_features  # noqa: E402

SHAPE = DiffusionTransformerShape(
    text_width=6, num_tokens=4, num_styles=3, channels=2, side=4, patch=2, width=16, depth=2, heads=2
)


def _inputs(batch: int = 3) -> tuple["torch.Tensor", ...]:
    mask = torch.tensor([[True, True, False, False], [True] * 4, [True, False, False, False]])[:batch]
    return (
        torch.randn(batch, 2, 4, 4),
        torch.rand(batch),
        torch.randn(batch, 4, 6),
        mask,
        torch.tensor([1, 2, 0])[:batch],
    )


def _trained(shape: DiffusionTransformerShape = SHAPE) -> DiffusionTransformer:
    torch.manual_seed(0)
    model = DiffusionTransformer(shape)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model


def test_attention_is_torchs() -> None:
    torch.manual_seed(0)
    ours = Attention(16, 2)
    x = torch.randn(2, 5, 16)
    mask = torch.tensor([[True, True, True, False, True], [True] * 5])[:, None, None]
    query, key, value = ours.qkv(x).chunk(3, dim=2)
    heads = [part.reshape(2, 5, 2, 8).transpose(1, 2) for part in (query, key, value)]
    heads[:2] = [torch.nn.functional.layer_norm(part, (8,), eps=1e-6) for part in heads[:2]]
    seen = torch.nn.functional.scaled_dot_product_attention(*heads, attn_mask=mask)
    expected = ours.out(seen.transpose(1, 2).reshape(2, 5, 16))
    torch.testing.assert_close(ours(x, mask), expected)


def test_a_block_is_the_identity_at_first() -> None:
    x = torch.randn(2, 5, 16)
    assert torch.equal(Block(16, 2, 4.0)(x, torch.zeros(2, 96)), x)


@pytest.mark.parametrize(("depth", "sketch_width"), [(2, 0), (2, 12), (0, 12)])
def test_the_network_is_the_best_linear_one_at_first(depth: int, sketch_width: int) -> None:
    model = DiffusionTransformer(SHAPE.model_copy(update={"depth": depth, "sketch_width": sketch_width}))
    z, t, *condition = _inputs()
    assert torch.equal(model(z, t, *condition), linear_velocity(z, t))


def test_neither_blocks_nor_a_sketch_is_no_network() -> None:
    with pytest.raises(ValueError, match="sketch_width"):
        DiffusionTransformerShape(depth=0)


def test_number_of_weights() -> None:
    width, text, patch = 16, 6, 8
    linear = lambda inputs, outputs: inputs * outputs + outputs  # noqa: E731
    block = linear(width, 3 * width) + 2 * (width // 2) + linear(width, width)
    block += linear(width, 4 * width) + linear(4 * width, width) + 6 * width
    pooled = linear(2 * text, width) + 3 * width + linear(width, width)
    rest = linear(patch, width) + linear(text, width) + 4 * width + linear(256, width) + linear(width, width)
    rest += linear(width, 6 * width) + linear(width, 2 * width) + linear(width, patch)
    assert sum(p.numel() for p in DiffusionTransformer(SHAPE).parameters()) == 2 * block + pooled + rest


def test_a_sketch_is_a_perceptron_over_the_whole_latent() -> None:
    shape = SHAPE.model_copy(update={"sketch_width": 12, "sketch_depth": 2})
    torch.manual_seed(0)
    sketch = Sketch(shape)
    for parameter in sketch.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    z, t, *condition = _inputs()
    weights = {name: tensor.detach().numpy() for name, tensor in sketch.named_parameters()}
    linear = lambda x, name: x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]  # noqa: E731
    normal = lambda x: (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-6)  # noqa: E731
    x = linear(z.numpy().reshape(3, -1), "start") + linear(time_features(t).numpy(), "time")
    x = x + sketch.pooled(*condition).detach().numpy()
    for layer in ("layers.0", "layers.1"):
        inner = linear(normal(x), f"{layer}.inner")
        x = x + linear(inner / (1 + np.exp(-inner)), f"{layer}.out")
    expected = linear(normal(x), "head").reshape(3, 2, 4, 4)
    np.testing.assert_allclose(sketch(z, t, *condition).detach().numpy(), expected, atol=1e-4)


def test_blocks_know_the_sketch_and_add_to_it() -> None:
    shape = SHAPE.model_copy(update={"sketch_width": 12})
    inputs = _inputs()
    plain, sketching, alone = _trained(), _trained(shape), _trained(shape.model_copy(update={"depth": 0}))
    alone.load_state_dict({name: w for name, w in sketching.state_dict().items() if name.startswith("sketch.")})
    sketching.load_state_dict(plain.state_dict(), strict=False)
    torch.nn.init.zeros_(sketching.sketched.weight)
    torch.nn.init.zeros_(sketching.sketched.bias)
    added = alone(*inputs) - linear_velocity(inputs[0], inputs[1])
    torch.testing.assert_close(sketching(*inputs), plain(*inputs) + added)
    torch.nn.init.normal_(sketching.sketched.weight)
    changed = sketching(*inputs) - plain(*inputs) - added
    assert bool((changed.abs().amax(dim=(1, 2, 3)) > 1e-4).all())
    assert not hasattr(plain, "sketch")
    assert not hasattr(alone, "blocks")


def test_patches_go_and_come_back() -> None:
    model = DiffusionTransformer(SHAPE)
    z = torch.randn(2, 2, 4, 4)
    patches = model.to_patches(z)
    assert patches.shape == (2, 4, 8)
    expected = z[0, :, 0:2, 2:4].flatten()  # channel, row, column of the second patch
    torch.testing.assert_close(patches[0, 1], expected)
    torch.testing.assert_close(model.from_patches(patches), z)


def test_what_the_mask_hides_does_not_count() -> None:
    model = _trained()
    z, t, condition, mask, style = _inputs()
    out = model(z, t, condition, mask, style)
    changed = torch.where(mask[:, :, None], condition, condition + 5)
    torch.testing.assert_close(model(z, t, changed, mask, style), out)


@pytest.mark.parametrize("what", ["z", "time", "caption", "word", "style", "mask"])
def test_everything_else_counts(what: str) -> None:
    model = _trained()
    z, t, condition, mask, style = _inputs()
    out = model(z, t, condition, mask, style)
    if what == "z":
        z = z + 0.5
    elif what == "time":
        t = t * 0.5
    elif what == "caption":
        condition = condition + torch.tensor([1.0, 0, 0, 0])[:, None]
    elif what == "word":
        condition = condition + torch.tensor([0, 1.0, 0, 0])[:, None]
        mask[:, 1] = True
        out = model(z, t, condition - torch.tensor([0, 1.0, 0, 0])[:, None], mask, style)
    elif what == "style":
        style = (style + 1) % 3
    else:
        mask = torch.zeros_like(mask)
    difference = (model(z, t, condition, mask, style) - out).abs().amax(dim=(1, 2, 3))
    assert bool((difference > 1e-4).all()), difference


def test_rows_of_a_batch_do_not_see_each_other() -> None:
    model = _trained()
    inputs = _inputs()
    together = model(*inputs)
    alone = torch.cat([model(*(part[i : i + 1] for part in inputs)) for i in range(3)])
    torch.testing.assert_close(together, alone)


def test_time_features_are_the_papers() -> None:
    found = time_features(torch.tensor([0.25]), 4).numpy()[0]
    frequencies = 10_000.0 ** (-np.arange(4) / 4)
    np.testing.assert_allclose(found, [*np.cos(250 * frequencies), *np.sin(250 * frequencies)], atol=1e-4)


def test_places_differ_and_share_rows_and_columns() -> None:
    places = grid_features(4, 16).reshape(4, 4, 16)
    assert len({tuple(row) for row in places.reshape(16, 16).tolist()}) == 16
    torch.testing.assert_close(places[2, 0, :8], places[2, 3, :8])
    torch.testing.assert_close(places[0, 1, 8:], places[3, 1, 8:])
