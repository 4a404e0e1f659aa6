"""How networks were trained, in words: what a table's protocol says of its recipe."""

from math import ceil

from paperlib.training import Recipe, choose_device
from paperlib.training.devices import choose_precision


def how_trained(recipe: Recipe, device: str) -> str:
    """Sizes, epochs, rate and precision of a recipe. An epoch that shows only a part of what there
    is to learn from says in how many steps."""
    steps = ceil(recipe.epoch_examples / recipe.batch_windows)  # 0: all there is
    part = f" of at most {steps:,} steps" if steps else ""
    epochs = "1 epoch" if recipe.epochs == 1 else f"{recipe.epochs} epochs"
    every = "frame" if recipe.stride == 1 else f"{recipe.stride} frames"
    return (
        f"{recipe.channels} channels, {epochs}{part} in batches of "
        f"{recipe.batch_size}, a target every {every}, learning rate {recipe.learning_rate:g} with "
        f"{recipe.schedule} decay, {choose_precision(choose_device(device), recipe.precision)}"
    )
