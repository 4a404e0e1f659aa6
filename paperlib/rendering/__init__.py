"""Bodies of capsules: what of them a camera sees, and images of them."""

from paperlib import lazily
from paperlib.rendering.capsules import Capsules, body_capsules, capsule_radii
from paperlib.rendering.crops import Crops
from paperlib.rendering.films import FilmImages
from paperlib.rendering.images import Rendered, pixel_rays, render, resized, shade
from paperlib.rendering.training_images import Augmentation, Drawn, TrainingImages
from paperlib.rendering.visibility import (
    Visibility,
    joint_visibility,
    people_visibility,
    sight_distance,
)

__getattr__, __dir__ = lazily(__name__)
