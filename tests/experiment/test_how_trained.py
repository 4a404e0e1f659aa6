"""What a protocol says of a recipe."""

from paperlib.experiment.how_trained import how_trained
from paperlib.training import Recipe


def test_epochs_that_show_a_part_say_in_how_many_steps():
    recipe = Recipe(epochs=20, batch_size=256, stride=2, precision="float32")
    assert how_trained(recipe, "cpu") == (
        "1024 channels, 20 epochs in batches of 256, a target every 2 frames, "
        "learning rate 0.001 with exponential decay, float32"
    )
    short = recipe.but(epoch_examples=1000, stride=1)
    assert "20 epochs of at most 4 steps in batches of 256, a target every frame, " in how_trained(
        short, "cpu"
    )
    # 4 windows a step
    assert "of at most 250 steps in" in how_trained(short.but(chunk=64), "cpu")
    assert "1 epoch in batches" in how_trained(recipe.but(epochs=1), "cpu")
