"""People in photographs: on small files of the public formats, made here."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from paperlib.datasets import coco_people, mpii_people, stills
from paperlib.errors import MissingDataError
from paperlib.skeletons import COCO_17, H36M_17, MPII_16


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder of data of its own, and no other data."""
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    monkeypatch.setattr("paperlib.paths.ROOT", tmp_path / "elsewhere")
    return tmp_path


def picture(path, width=40, height=30):
    """Red grows to the right, green downwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    red, green = np.meshgrid(np.arange(width) * 6, np.arange(height) * 8)
    pixels = np.stack([red, green, 0 * red], axis=-1).astype("u1")
    Image.fromarray(pixels).save(path)


def person(number=1, image=7, **changes) -> dict:
    """A person of COCO: joint k at (k, 10 + k), every third not labelled, every third hidden."""
    flags = [k % 3 for k in range(17)]
    keypoints = [n for k in range(17) for n in ((k, 10 + k, flags[k]) if flags[k] else (0, 0, 0))]
    fields = {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "iscrowd": 0,
        "num_keypoints": 11,
        "keypoints": keypoints,
        "bbox": [1.5, 2.0, 20.25, 25.0],
        "area": 300.1,
        "segmentation": [[1, 2, 3, 4]],
    }
    return fields | changes


def coco(place, *people, images=({"id": 7, "file_name": "000000000007.jpg"},), text=None):
    path = place / "coco" / "annotations" / "person_keypoints_train2017.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"info": {}, "images": list(images), "annotations": list(people), "categories": []}
    path.write_text(json.dumps(content) if text is None else text)
    picture(place / "coco" / "train2017" / "000000000007.jpg")
    return path


def body(**changes) -> dict:
    """A person of MPII: joint k at (k + 1, 2 k + 1), the pixels counted from 1."""
    fields = {
        "joints_vis": [0] + [1] * 15,
        "joints": [[-1.0, -1.0]] + [[k + 1.0, 2 * k + 1.0] for k in range(1, 16)],
        "image": "015601864.jpg",
        "scale": 0.25,
        "center": [20.0, 15.0],
    }
    return fields | changes


def mpii(place, *people, text=None):
    path = place / "mpii" / "annot" / "train.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(list(people)) if text is None else text)
    picture(place / "mpii" / "images" / "015601864.jpg")
    return path


# ---- what is read --------------------------------------------------------------------------------


def test_people_of_coco(place):
    coco(place, person(), person(2, bbox=[0, 0, 30, 28.5]))
    data = coco_people.load()
    assert len(data) == 2 and data.skeleton is COCO_17 and data.excluded == "nothing"
    assert data.labelled[0].tolist() == [k % 3 > 0 for k in range(17)]
    assert data.visible[0].tolist() == [k % 3 == 2 for k in range(17)]
    assert data.keypoints[0, 4].tolist() == [4.5, 14.5]
    assert data.boxes.tolist() == [[1.5, 2.0, 20.25, 25.0], [0.0, 0.0, 30.0, 28.5]]
    assert data.image(1).shape == (3, 30, 40)


def test_crowds_others_and_people_without_joints_are_left_out(place):
    nobody = person(4, keypoints=[0] * 51)
    others = (person(2, iscrowd=1), person(3, category_id=18), nobody, person(5, bbox=[1, 2, 0, 4]))
    coco(place, person(), *others)
    data = coco_people.load()
    assert len(data) == 1
    assert data.excluded == "2 people without joints or area"


def test_people_of_mpii(place):
    """Its first pixel is number 1; the square is 50 pixels wide about (19.5, 14.5)."""
    mpii(place, body())
    data = mpii_people.load()
    assert data.skeleton is MPII_16
    assert data.labelled[0].tolist() == [False] + [True] * 15
    assert data.keypoints[0, 3].tolist() == [3.5, 6.5]
    assert data.boxes.tolist() == [[-5.5, -10.5, 50.0, 50.0]]


def test_a_pixel_of_an_image_is_where_its_annotation_says(place):
    """Nothing lossy: the pixel in column 5 and row 3, counted from 0, is red 30 and green 24."""
    coco(place, person(), images=[{"id": 7, "file_name": "a.png"}])
    picture(place / "coco" / "train2017" / "a.png")
    image = coco_people.load().image(0)
    assert torch.allclose(image[:, 3, 5] * 255, torch.tensor([30.0, 24.0, 0.0]))


def test_joints_of_human36m(place):
    """A pelvis where both hips are; nobody annotated a spine."""
    flags = [2] * 17
    flags[5] = 0  # the left shoulder
    keypoints = [n for k in range(17) for n in (k, 2 * k, flags[k])]
    coco(place, person(keypoints=keypoints))
    data = coco_people.load().in_h36m()
    known = {name: bool(data.labelled[0, j]) for j, name in enumerate(H36M_17.joints)}
    assert [name for name, there in known.items() if not there] == [
        "spine", "thorax", "neck_nose", "head_top", "left_shoulder"
    ]  # fmt: skip
    assert data.keypoints[0, 0].tolist() == [12.0, 23.5]  # of hips at 11 and 12
    mpii(place, body())
    data = mpii_people.load().in_h36m()
    assert [H36M_17.joints[j] for j in (~data.labelled[0]).nonzero().flatten()] == [
        "right_ankle", "spine", "neck_nose"
    ]  # fmt: skip
    assert data.keypoints[0, H36M_17.index("head_top")].tolist() == [9.5, 18.5]


def test_what_was_annotated_identifies_the_data(place):
    coco(place, person())
    first = coco_people.load().fingerprint
    assert coco_people.load().fingerprint == first
    coco(place, person(bbox=[1.5, 2.0, 20.25, 26.0]))
    assert coco_people.load().fingerprint != first


# ---- what is refused -----------------------------------------------------------------------------


def test_missing_images_are_counted_and_the_first_is_named(place):
    images = [{"id": n, "file_name": f"00{n}.jpg"} for n in (3, 5, 7)]
    coco(place, *(person(n, image=n) for n in (7, 5, 3)), images=images)
    picture(place / "coco" / "train2017" / "005.jpg")
    with pytest.raises(MissingDataError, match=r"2 of 3 images are missing.*003\.jpg"):
        coco_people.load()


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (coco_people, r"annotations/person_keypoints_train2017\.json is missing.*cocodataset\.org"),
        (mpii_people, r"annot/train\.json is missing.*human-pose"),
    ],
)
def test_without_the_data_set_the_message_says_how_to_get_it(module, message):
    with pytest.raises(MissingDataError, match=message):
        module.load()
    with pytest.raises(ValueError, match="unknown part of"):
        module.load("test")


def test_names_that_lead_elsewhere_are_refused(place):
    for name in ("../secret.jpg", "/etc/a.jpg", "a.svg", "b/a.jpg", ""):
        coco(place, person(), images=[{"id": 7, "file_name": name}])
        with pytest.raises(ValueError, match="is no name of an image"):
            coco_people.load()


WRONG_PEOPLE = [
    {"keypoints": [1, 2, 2] * 16},
    {"keypoints": "1, 2"},
    {"keypoints": None},
    {"keypoints": [1, 2, 3] * 17},
    {"keypoints": [1e9, 2, 2] * 17},
    {"keypoints": [float("nan"), 2, 2] * 17},
    {"keypoints": [10**400, 2, 2] * 17},
    {"keypoints": [[1], 2, 2] * 17},
    {"keypoints": [True, 2, 2] * 17},
    {"bbox": [1, 2, 3]},
    {"bbox": [1, 2, float("inf"), 4]},
    {"image_id": 8},
    {"image_id": [7]},
]


@pytest.mark.parametrize("change", WRONG_PEOPLE)
def test_wrong_people_of_coco_are_refused(place, change):
    path = coco(place, person(), person(2, **change))
    with pytest.raises(ValueError) as error:
        coco_people.load()
    assert path.name in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"joints": [[1, 2]] * 15},
        {"joints": [[1, 2, 3]] * 16},
        {"joints": {"a": 1}},
        {"joints_vis": [2] * 16},
        {"joints_vis": [1] * 15},
        {"scale": "1"},
        {"scale": None},
        {"center": [1]},
        {"center": None},
        {"joints": [[float("nan"), 2]] * 16},
    ],
)
def test_wrong_people_of_mpii_are_refused(place, change):
    path = mpii(place, body(), body(**change))
    with pytest.raises(ValueError) as error:
        mpii_people.load()
    assert path.name in str(error.value)


def test_the_test_set_of_mpii_has_no_joints(place):
    mpii(place, {"image": "015601864.jpg", "scale": 1.0, "center": [1, 2]})
    with pytest.raises(ValueError, match="is it the test set"):
        mpii_people.load()


def whole() -> str:
    return json.dumps({"images": [], "annotations": [person()]})


TEXTS = {
    "cut": whole()[:-40],
    "empty": "",
    "nested": "[" * 100_000,
    "a list": "[1, 2]",
    "a number": "1",
    "no annotations": '{"images": []}',
    "images of another kind": '{"images": [1], "annotations": []}',
    "annotations of another kind": '{"images": [], "annotations": [1]}',
    "a web page": "<!doctype html><html></html>",
    "digits": "1" * 10_000,
    "nobody": '{"images": [], "annotations": []}',
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("write", [coco, mpii])
def test_other_files_are_refused(place, kind, write):
    write(place, text=TEXTS[kind])
    with pytest.raises(ValueError):
        (coco_people if write is coco else mpii_people).load()


@pytest.mark.parametrize("content", [b"", b"not an image", b"GIF89a\x01\x00\x01\x00"])
def test_files_that_are_no_images_are_refused(place, content):
    coco(place, person())
    file = place / "coco" / "train2017" / "000000000007.jpg"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"000000000007\.jpg: not an image"):
        coco_people.load().image(0)


def test_cut_and_enormous_images_are_refused(place, monkeypatch):
    coco(place, person())
    file = place / "coco" / "train2017" / "000000000007.jpg"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="or damaged"):
        coco_people.load().image(0)
    file.write_bytes(whole)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ValueError, match="or damaged"):
        coco_people.load().image(0)


def test_grey_images_have_three_channels(place):
    Image.fromarray(np.full((4, 6), 51, dtype="u1")).save(place / "grey.png")
    image = stills.read_image(place / "grey.png")
    assert image.shape == (3, 4, 6)
    assert torch.allclose(image, torch.tensor(0.2))
