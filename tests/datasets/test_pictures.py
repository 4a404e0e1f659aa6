"""Films as pictures: arrays, folders, videos."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from paperlib.datasets.pictures import pictures


def film(frames=12, height=24, width=32) -> torch.Tensor:
    """Grey pictures, each brighter than the one before, all of them 8-bit values."""
    grey = torch.arange(frames) * 20
    return grey[:, None, None, None].expand(-1, 3, height, width) / 255


def stored(folder, values, name="frame_{}.png"):
    folder.mkdir(exist_ok=True)
    for number, picture in enumerate(values):
        pixels = (255 * picture).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(folder / name.format(number))
    return folder


@pytest.mark.parametrize("kind", [torch.Tensor, np.ndarray])
def test_an_array_as_it_is(kind):
    values = film()
    count, several = pictures(values if kind is torch.Tensor else values.numpy())
    assert count == 12
    assert torch.equal(torch.stack(list(several)), values)


def test_a_folder_in_the_order_of_its_numbers(tmp_path):
    """Ten comes after nine, not after one; what is no image is passed over."""
    folder = stored(tmp_path / "film", film())
    (folder / "boxes.csv").write_text("1,2,3,4")
    count, several = pictures(folder)
    assert count == 12
    assert torch.allclose(torch.stack(list(several)), film(), atol=1e-6)
    assert len(list(pictures(str(folder))[1])) == 12


def test_jpeg_is_read_too(tmp_path):
    folder = stored(tmp_path / "film", film(3), "{}.JPG")
    count, several = pictures(folder)
    assert count == 3
    assert torch.allclose(torch.stack(list(several)), film(3), atol=2 / 255)


def test_a_video_is_decoded(tmp_path):
    """Lossless, so that it is the same film."""
    av = pytest.importorskip("av")
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 32, 24, "bgr0"
        for picture in film():
            pixels = (255 * picture).round().byte().permute(1, 2, 0).contiguous().numpy()
            made.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        made.mux(stream.encode())
    count, several = pictures(path)
    assert count is None
    assert torch.allclose(torch.stack(list(several)), film(), atol=1e-6)
    path.write_bytes(b"no video" * 100)
    with pytest.raises(ValueError, match=r"film\.mkv: not a video, or damaged"):
        list(pictures(path)[1])


def test_a_video_without_its_decoder_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    (tmp_path / "film.mp4").write_bytes(b"\0" * 100)
    with pytest.raises(ValueError, match=r"pip install av.*Or make a folder .*ffmpeg -i film\.mp4"):
        list(pictures(tmp_path / "film.mp4")[1])


def test_what_is_no_film_is_refused(tmp_path):
    for shape in ((12, 24, 32, 3), (12, 3, 24), (0, 3, 24, 32), (4, 3, 0, 32)):
        with pytest.raises(ValueError, match=r"pictures \(T, 3, H, W\).*colours last"):
            pictures(torch.zeros(shape))
    with pytest.raises(ValueError, match=r"pictures of torch\.uint8: divide 8-bit ones by 255"):
        pictures(np.zeros((2, 3, 8, 8), dtype="u1"))
    with pytest.raises(ValueError, match="no images"):
        pictures(tmp_path)
    with pytest.raises(FileNotFoundError):
        pictures(tmp_path / "nothing.mp4")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(ValueError, match=r"cut\.png: not an image"):
        list(pictures(tmp_path)[1])
