"""Of what is drawn into maps, peaks are found as wide as they were drawn, and second ones too."""

import pytest
import torch

from paperlib.occlusion import SimulatedMaps, peak_widths, second_peaks
from paperlib.occlusion.heatmaps import gaussians


def bump(x: float, y: float, height: float, sigma: float = 1.0) -> torch.Tensor:
    """A map of 16 x 16 cells with one peak, in cells from the middle of the first."""
    across, down = gaussians(torch.tensor([x, y]), 16, sigma)
    return height * down[:, None] * across


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.5])
@pytest.mark.parametrize("place", [(7.3, 4.9), (0.2, 8.0), (15.4, 14.6)])
def test_widths_are_those_of_gaussians_wherever_they_are_and_however_high(place, sigma):
    for height in (1.0, 0.2):
        found = peak_widths(bump(*place, height, sigma))
        assert found.item() == pytest.approx(sigma, rel=1e-3)


def test_widths_of_simulated_maps_grow_as_confidence_falls():
    confidence = torch.tensor([1.0, 0.5, 0.2]).view(1, 1, 3)
    points = torch.tensor([[0.1, 0.0], [-0.3, 0.2], [0.2, -0.25]]).view(1, 1, 3, 2)
    crop = torch.tensor([[[0.0, 0.0, 2.0]]])
    maps = SimulatedMaps(size=16, blur=1.0).draw(points, confidence, crop)
    torch.testing.assert_close(
        peak_widths(maps)[0, 0], torch.tensor([1.0, 1.5, 1.8]), rtol=1e-3, atol=0
    )


def test_the_second_peak_is_found_with_its_height():
    maps = torch.stack([bump(4, 5, 0.9) + bump(11, 3, 0.4), bump(4, 5, 0.9)]).view(2, 1, 16, 16)
    (one,), (alone,) = second_peaks(maps)
    assert one[:2].tolist() == [11, 3] and one[2].item() == pytest.approx(0.4, abs=1e-3)
    assert alone[2] == 0


def test_the_slope_of_the_first_and_what_is_near_it_is_no_second_peak():
    near = bump(4, 5, 0.9, 0.5) + bump(6, 5, 0.5, 0.5)
    assert second_peaks(near)[2] == 0
    assert second_peaks(near, apart=1)[2] > 0.4
    plateau = torch.zeros(16, 16)
    plateau[3:5, 3:5] = 0.8
    plateau[10, 10:12] = 0.3  # as high side by side, as maps kept in steps are
    assert second_peaks(plateau)[1:].tolist() == pytest.approx([10, 0.3])
    assert second_peaks(torch.zeros(16, 16))[2] == 0
