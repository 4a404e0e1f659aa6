"""Films of painted bodies: the same clothing, light and background throughout a clip."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from paperlib.randomness import check_seed, generator_of
from paperlib.recordings import Recording
from paperlib.rendering.crops import CROP_MARGIN, Crops, pixel_intrinsics
from paperlib.rendering.looks import Look, draw_looks
from paperlib.rendering.training_images import Drawn, checked, picture


@dataclass(frozen=True, eq=False)
class FilmImages:
    """What crops of one recording's film show, ``size`` x ``size`` pixels each, made when they are
    asked for. A frame looks the same whenever that is, and with whatever others.

    ``others`` are recordings of other people before the same camera at the same moments. Clothing,
    light and background follow from the ``seed`` and the names of the clip and the camera, the
    noise (standard deviation ``noise`` on average) from the number of the frame as well.
    ``ValueError`` for recordings that cannot be drawn, and for others that are of another camera or
    length.
    """

    recording: Recording
    size: int = 64
    seed: int = 0
    others: tuple[Recording, ...] = ()
    noise: float = 0.03
    margin: float = CROP_MARGIN
    device: torch.device | str = "cpu"

    def __post_init__(self):
        checked((self.recording, *self.others), self.size)
        check_seed(self.seed)
        for other in self.others:
            if other.camera != self.recording.camera or len(other) != len(self.recording):
                raise ValueError(
                    f"{other.name} ({len(other)} frames) is not of the camera and the moments of "
                    f"{self.recording.name} ({len(self.recording)} frames)"
                )

    @cached_property
    def people(self) -> Tensor:
        """``(P, T, J, 3)``: the recording's person first."""
        people = [r.truth.float() for r in (self.recording, *self.others)]
        return torch.stack(people).to(self.device)

    @cached_property
    def look(self) -> Look:
        look = draw_looks(1, len(self.people), self.noise, torch.device("cpu"), self._chance())
        return Look(*(value.to(self.device) for value in look))

    def crops(self, middle: Tensor, side: Tensor) -> Crops:
        """Upright squares of the film about ``middle`` ``(N, 2)``, of ``side`` ``(N,)``: pixels."""
        camera, count = self.recording.camera, len(side)
        film = torch.tensor([[float(camera.width), float(camera.height)]]).expand(count, -1)
        rows = pixel_intrinsics([camera]).expand(count, -1)
        given = (v.to(self.device) for v in (middle, side, torch.zeros(count), rows, film))
        return Crops(*given, self.size)

    def about_the_person(self, frames: Tensor) -> Crops:
        """Squares about all joints in the frames ``(N,)``, by default as the images that kato2020's
        first stage learns from have them, unscaled."""
        positions = self.people[0, frames]
        anywhere = self.crops(torch.zeros(len(frames), 2), torch.ones(len(frames)))
        points = anywhere.to_film(anywhere.project(positions))
        return Crops.about(points, self.margin, anywhere.intrinsics, anywhere.film, self.size)

    @torch.no_grad()
    def draw(self, frames: Tensor, crops: Crops | None = None) -> Drawn:
        """The frames ``(N,)``, each in its own of the N crops; by default about the person."""
        frames = frames.to(self.device)
        with torch.autocast(torch.device(self.device).type, enabled=False):
            crops = self.about_the_person(frames) if crops is None else crops
            if len(crops) != len(frames):
                raise ValueError(f"{len(frames)} frames, but {len(crops)} crops")
            people, count = self.people[:, frames], len(frames)
            there = torch.ones(people.shape[:2], dtype=torch.bool, device=people.device)
            nothing = people.new_zeros(count, 5, 3)
            given = (self.recording.skeleton, nothing, crops, self.look.of(count))
            drawn = picture(people, there, *given)
            shape = drawn.images.shape[1:]
            grain = torch.stack(
                [torch.randn(shape, generator=self._chance(frame)) for frame in frames.tolist()]
            )
            images = drawn.images + self.look.noise[:, None, None, None] * grain.to(people)
            return replace(drawn, images=images.clamp_(0, 1))

    def _chance(self, frame: int | str = "look") -> torch.Generator:
        name = f"{self.recording.subject}/{self.recording.clip}/{self.recording.camera.name}"
        seed = generator_of(f"film of {name}, seed {self.seed}: {frame}").integers(2**62)
        return torch.Generator().manual_seed(int(seed))
