import io
import os
import pickle
import warnings
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import samples

from paperlib.datasets.archives import layout, read_archive
from paperlib.errors import UnsafeFileError
from paperlib.skeletons import COCO_17, H36M_17, HUMANEVA_15, MPII_16

RNG = np.random.default_rng(5)
FLOATS = RNG.normal(size=(3, 2)).astype(np.float32)


def npy_of_pickle(data: bytes, shape: tuple = ()) -> bytes:
    """A member that claims to be an object array and holds these pickle bytes."""
    stream = io.BytesIO()
    header = {"descr": "|O", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + data


def write_members(path, **members: bytes):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


def write_pickle(path, value, protocol: int = 4, alter=lambda data: data):
    """``value`` in an object array without dimensions, pickled as NumPy does it."""
    boxed = np.empty((), dtype=object)
    boxed[()] = value
    return write_members(path, item=npy_of_pickle(alter(pickle.dumps(boxed, protocol))))


def same(a, b) -> bool:
    """Equal in type, shape and contents, all the way down."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray):
        if a.dtype == object:
            return a.shape == b.shape and same(list(a.flat), list(b.flat))
        return a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
    return a == b


def nested() -> dict:
    ragged = np.empty((2, 2), dtype=object)
    ragged[0, 0], ragged[0, 1], ragged[1, 0] = [], FLOATS, RNG.normal(size=(4, 1))
    ragged[1, 1] = {"deep": (np.arange(3, dtype=">i2"), None)}
    return {
        "S1": {"Walking 1": [FLOATS, FLOATS[:0]], "empty": []},
        "ragged": ragged,
        "fortran": np.asfortranarray(RNG.normal(size=(2, 3, 4))),
        "text": np.array([["ab", "c"]]),
        "bytes": np.array([b"xyz", b""]),
        "flags": np.array([True, False]),
        "complex": np.array([1 + 2j]),
        "scalar": np.float32(2.5),
        "word": np.str_("word"),
        "truth": np.bool_(True),
        "plain": [1, 2.5, "ü", b"\xff\x00", b"", None, True, 1 + 2j, 10**30, (1, (2,)), {3, 4}],
        7: "number as key",
    }


@pytest.mark.parametrize("protocol", range(6))
def test_nested_containers_and_arrays_come_back_as_they_were(tmp_path, protocol):
    value = nested()
    back = read_archive(write_pickle(tmp_path / "a.npz", value, protocol))["item"]
    assert same(back, value)
    assert back["S1"]["Walking 1"][0].flags.writeable


def test_what_numpy_itself_saves(tmp_path):
    listed = np.empty(2, dtype=object)
    listed[:] = [FLOATS, "text"]
    arrays = {"positions_3d": {"S1": FLOATS}, "plain": np.asfortranarray(FLOATS), "listed": listed}
    arrays |= {"number": np.float64(3), "nothing": np.zeros((0, 17))}
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    back = read_archive(tmp_path / "a.npz")
    assert same(back["positions_3d"], {"S1": FLOATS})
    assert same(back["plain"], FLOATS) and same(back["listed"], listed)
    assert back["number"].shape == () and back["number"] == 3
    assert back["nothing"].shape == (0, 17)


def test_shared_parts_stay_shared_and_ordered_dicts_become_plain(tmp_path):
    value = OrderedDict(b=[FLOATS, FLOATS], a=1)
    back = read_archive(write_pickle(tmp_path / "a.npz", value))["item"]
    assert type(back) is dict and list(back) == ["b", "a"]
    assert back["b"][0] is back["b"][1]


def test_module_names_of_numpy_1(tmp_path):
    def older(data: bytes) -> bytes:
        assert b"numpy._core.multiarray" in data
        return data.replace(b"numpy._core", b"numpy.core")

    value = {"a": FLOATS, "s": np.float32(1)}
    # protocol 2 names modules without a length before them, so that they may be replaced
    back = read_archive(write_pickle(tmp_path / "a.npz", value, 2, older))["item"]
    assert same(back, value)


def test_python_2_wrote_bytes_as_text(tmp_path):
    """Hand-made protocol 2, as Python 2 and its NumPy wrote {'k': array([1.5, -2], '<f4')}."""
    raw = np.array([1.5, -2], "<f4").tobytes()

    def array(shape: bytes, code: bytes, state: bytes) -> bytes:
        return (
            b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
            b"(K\x01" + shape + b"cnumpy\ndtype\nU\x02" + code + b"K\x00K\x01\x87R"
            b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89" + state + b"tb"
        )

    inner = array(b"K\x02\x85", b"f4", b"U" + bytes([len(raw)]) + raw)
    outer = array(b")", b"O8", b"]}U\x01k" + inner + b"sa")
    path = write_members(tmp_path / "a.npz", item=npy_of_pickle(b"\x80\x02" + outer + b"."))
    assert same(read_archive(path)["item"], {"k": np.array([1.5, -2], "<f4")})


def test_headers_of_python_2_are_read_without_a_warning(tmp_path):
    stream = io.BytesIO()
    np.save(stream, np.arange(3, dtype="<f8"))
    data = stream.getvalue()
    assert b"(3,), }  " in data
    path = write_members(tmp_path / "a.npz", x=data.replace(b"(3,), }  ", b"(3L,), } "))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_archive(path)["x"].tolist() == [0, 1, 2]


class Calls:
    """Pickles as a call of any function; the function need not exist here."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def by_name(module: str, name: str, arguments: bytes) -> bytes:
    """Protocol 2: call ``module.name`` with the arguments that these opcodes make."""
    return b"\x80\x02c" + f"{module}\n{name}\n".encode() + arguments + b"R."


def text(value: str) -> bytes:
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


HOSTILE = {
    "system": (f"{os.name}.system", lambda marker: Calls(os.system, f"touch {marker}")),
    "eval": ("builtins.eval", lambda marker: Calls(eval, f"open({str(marker)!r}, 'w')")),
    "getattr": ("builtins.getattr", lambda marker: Calls(getattr, "", "join")),
    "open": ("open", lambda marker: Calls(open, str(marker), "w")),
    "save": ("numpy", lambda marker: Calls(np.savetxt, str(marker), [1.0])),
    "tofile": ("fromfile", lambda marker: Calls(np.fromfile, str(marker))),
    "memmap": ("memmap", lambda marker: Calls(np.memmap, str(marker), "u1", "w+", 0, (1,))),
    "type": ("numpy.matrix", lambda marker: np.matrix([[1.0]])),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_pickles_are_refused_and_run_nothing(tmp_path, case):
    named, make = HOSTILE[case]
    marker = tmp_path / "ran"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of numpy.matrix
        path = write_pickle(tmp_path / "bad.npz", {"fine": FLOATS, "bad": make(marker)})
    with pytest.raises(UnsafeFileError) as caught:
        read_archive(path)
    assert named in str(caught.value) and "bad.npz" in str(caught.value)
    assert not marker.exists()


def test_these_attacks_do_run_in_an_ordinary_reader(tmp_path):
    """Otherwise the test above would prove nothing."""
    for case in ("system", "eval", "open", "save", "memmap"):
        marker = tmp_path / case
        result = pickle.loads(pickle.dumps(HOSTILE[case][1](marker)))
        if hasattr(result, "close"):
            result.close()
        assert marker.exists(), case


@pytest.mark.parametrize(
    "name",
    "os system,builtins exec,__builtin__ eval,numpy dtype.__reduce__,numpy load,functools partial,"
    "numpy.core.multiarray fromfile,numpy.testing._private.utils runstring,_codecs lookup,"
    "paperlib.datasets.archives read_archive,copyreg _reconstructor".split(","),
)
def test_any_other_name_is_refused(tmp_path, name):
    module, name = name.split()
    data = by_name(module, name, text("true") + b"\x85")
    path = write_members(tmp_path / "bad.npz", item=npy_of_pickle(data))
    with pytest.raises(UnsafeFileError, match=f"{module}.{name}"):
        read_archive(path)


RECONSTRUCT = ("numpy.core.multiarray", "_reconstruct")
GADGETS = {
    # _reconstruct(function, ...) must not call the function
    "reconstruct a function": by_name(
        *RECONSTRUCT, b"c_codecs\nencode\n" + text("x") + text("latin1") + b"\x87"
    ),
    "reconstruct text": by_name(*RECONSTRUCT, text("x") + b"K\x00\x85U\x01b\x87"),
    "call ndarray for memory": by_name("numpy", "ndarray", b"J\xff\xff\xff\x7f\x85\x85"),
    "encode by another codec": by_name("_codecs", "encode", text("x") + text("rot13") + b"\x86"),
    "make bytes of any size": by_name("builtins", "bytes", b"J\xff\xff\xff\x7f\x85"),
    "dtype with an object's address": by_name("numpy", "dtype", text("V8") + b"\x85"),
    "alter a function": b"\x80\x02c_codecs\nencode\n}" + text("x") + b"K\x01sb.",
    "make an instance": b"\x80\x02cnumpy\nndarray\nK\x05\x85\x85\x81.",
    "no array at all": b"\x80\x02K\x05.",
    "a function as data": b"\x80\x02c_codecs\nencode\n.",
    "a scalar of objects": by_name(
        "numpy.core.multiarray",
        "scalar",
        b"cnumpy\ndtype\n" + text("O8") + b"\x85R" + text("12345678") + b"\x86",
    ),
}


@pytest.mark.parametrize("gadget", GADGETS)
def test_what_is_admitted_cannot_be_misused(tmp_path, gadget):
    path = write_members(tmp_path / "bad.npz", item=npy_of_pickle(GADGETS[gadget]))
    why = ".*only plain arrays" if gadget.startswith("reconstruct") else ""
    with pytest.raises(ValueError, match=rf"bad\.npz{why}"):
        read_archive(path)


def test_forged_array_states_are_refused(tmp_path):
    """A shape larger than the data would read foreign memory."""
    good = pickle.dumps(np.array({"x": np.zeros(7, "u1")}, dtype=object), 4)
    assert good.count(b"K\x07\x85") == 1
    for forged in (b"K\x08\x85", b"K\x06\x85"):
        data = npy_of_pickle(good.replace(b"K\x07\x85", forged))
        with pytest.raises(ValueError, match="bytes, got 7"):
            read_archive(write_members(tmp_path / "bad.npz", item=data))


def test_a_list_that_holds_itself_is_refused(tmp_path):
    endless: list = []
    endless.append(endless)
    with pytest.raises(ValueError, match=r"bad\.npz"):
        read_archive(write_pickle(tmp_path / "bad.npz", endless))


def test_truncated_and_foreign_files(tmp_path):
    path = tmp_path / "cut.npz"
    np.savez_compressed(path, positions_3d={"S1": RNG.normal(size=(500, 3))})
    whole = path.read_bytes()
    for data in (whole[: len(whole) // 2], whole[:-200], b"", b"not found"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"cut\.npz.*fetch or prepare it again"):
            read_archive(path)
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + bytes(40) + whole[middle + 40 :])
    with pytest.raises(ValueError, match=r"cut\.npz"):
        read_archive(path)


def test_a_short_member_is_refused(tmp_path):
    stream = io.BytesIO()
    np.save(stream, FLOATS)
    path = write_members(tmp_path / "short.npz", x=stream.getvalue()[:-4])
    with pytest.raises(ValueError, match=r"short\.npz.*needs 24 bytes, got 20"):
        read_archive(path)


def test_a_cut_pickle_and_other_members(tmp_path):
    data = pickle.dumps(np.array({"a": FLOATS}, dtype=object))
    path = write_members(tmp_path / "cut.npz", x=npy_of_pickle(data[:-10]))
    with pytest.raises(ValueError, match=r"cut\.npz"):
        read_archive(path)
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("data.pkl", b"...")
    with pytest.raises(ValueError, match=r"data\.pkl"):
        read_archive(tmp_path / "other.npz")


def test_declared_sizes_are_limited(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "big.npz", x=np.zeros(10_000))
    assert read_archive(tmp_path / "big.npz")["x"].shape == (10_000,)
    monkeypatch.setattr("paperlib.datasets.archives.MAX_BYTES", 50_000)
    with pytest.raises(ValueError, match="GiB"):
        read_archive(tmp_path / "big.npz")


def test_a_missing_file_is_the_callers_matter(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_archive(tmp_path / "none.npz")


LAYOUTS = {"h36m": H36M_17, "coco": COCO_17, "mpii": MPII_16, "humaneva15": HUMANEVA_15}


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(name, named):
    assert layout(samples.metadata(name, named), "x.npz") is LAYOUTS[name]


UNKNOWN = {"coco": 16, "humaneva15": 20, "humaneva20": 20}
OTHERS_SIDES = samples.metadata("h36m") | {"layout_name": "coco"}


@pytest.mark.parametrize(
    "metadata",
    [None, {"layout_name": "coco"}, OTHERS_SIDES]
    + [{"layout_name": name, "num_joints": joints} for name, joints in UNKNOWN.items()],
)
def test_unknown_layouts_are_refused(metadata):
    with pytest.raises(ValueError, match=r"x\.npz"):
        layout(metadata, "x.npz")
