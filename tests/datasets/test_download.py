"""Fetching free data: from a small archive served by this computer."""

import hashlib
import http.server
import io
import random
import tarfile
import threading
from pathlib import Path

import pandas as pd
import pytest

from paperlib import datasets
from paperlib.datasets import cmu, download
from paperlib.errors import MissingDataError

UNREACHABLE = "http://127.0.0.1:9/owner/mocap/archive/abc.tar.gz"
INSIDE = "mocap/data/cmu_eval"
CONTENT = {
    "train/walking/walking_1.txt": b"1,2,3\n",
    "train/walking/walking_2.txt": b"4,5,6\n",
    "test/running/running_1.txt": b"7,8,9\n",
}


def tarball(contents: dict[str, bytes], inside: str = INSIDE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in {"README.md": b"hello", **contents}.items():
            place = name if name == "README.md" else f"{inside}/{name}"
            member = tarfile.TarInfo(f"mocap-0123456789/{place}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def server():
    """Serves what is put into ``server.pages``; ``server.url(name)`` is its address. A page given
    as a pair is the content and how many bytes of it are sent before the connection breaks."""
    pages: dict[str, bytes | tuple[bytes, int]] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            page = pages.get(self.path.rsplit("/", 1)[-1])
            if page is None:
                self.send_error(404)
                return
            whole = not isinstance(page, tuple)
            content = page if whole else page[0][: page[1]]
            self.send_response(200)
            self.send_header("Connection", "close")
            if whole:
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            else:  # in chunks, the last of which never comes
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"%x\r\n" % (len(content) + 100) + content)
            self.close_connection = True

        def log_message(self, *_):
            pass

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    served.pages = pages
    served.url = lambda name: (
        f"http://127.0.0.1:{served.server_port}/owner/mocap/archive/{name}.tar.gz"
    )
    yield served
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Where the files go; the list of files is that of CONTENT."""
    monkeypatch.setenv("PAPERLIB_DATA", str(tmp_path))
    names = [f"cmu_expmap/{name}" for name in CONTENT]
    sums = [hashlib.sha256(content).hexdigest() for content in CONTENT.values()]
    manifest = pd.DataFrame({"path_in_archive": names, "sha256": sums})
    monkeypatch.setattr(cmu, "manifest", lambda: manifest)
    return tmp_path / "cmu_mocap" / "cmu_expmap"


def fetch(server, *names: str) -> Path:
    return download.fetch_cmu(tuple((server.url(name), INSIDE) for name in names or ("abc",)))


def write(folder: Path, contents: dict[str, bytes]):
    for name, content in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def found(folder: Path) -> dict[str, bytes]:
    """All files, hidden and half-written ones too."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def test_files_are_fetched_into_place(folder, server):
    server.pages["abc.tar.gz"] = tarball({**CONTENT, "train/walking/walking_9.txt": b"unknown"})
    assert fetch(server) == folder
    assert found(folder) == CONTENT
    assert cmu.find() == folder.parent


def test_the_project_names_two_sources_at_fixed_commits():
    for url, inside in download.CMU_SOURCES:
        assert url.startswith("https://github.com/") and url.endswith(".tar.gz")
        commit = url.rsplit("/", 1)[1].removesuffix(".tar.gz")
        assert len(commit) >= 12 and set(commit) <= set("0123456789abcdef")
        assert inside.endswith(("cmu_eval", "cmu_mocap"))
    assert len(download.CMU_SOURCES) == 2


def test_the_list_of_files_is_whole():
    manifest = cmu.manifest()
    assert len(manifest) == 96 and manifest["path_in_archive"].is_unique
    assert manifest["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    assert manifest["path_in_archive"].str.startswith("cmu_expmap/").all()
    assert manifest["split"].value_counts().to_dict() == {"train": 72, "test": 24}


def test_wrong_content_is_refused_and_named(folder, server):
    name = "test/running/running_1.txt"
    server.pages["abc.tar.gz"] = tarball({**CONTENT, name: b"something else"})
    with pytest.raises(MissingDataError) as problem:
        fetch(server)
    message = str(problem.value)
    assert message.startswith("1 of 3 CMU files") and f"{name} from {server.url('abc')}" in message
    assert "another content" in message and "the same command goes on" in message
    assert not folder.exists()  # a part of the data set must not pass for the whole
    waiting = folder.with_name("cmu_expmap.partial")
    assert found(waiting) == {n: c for n, c in CONTENT.items() if n != name}


def test_the_second_source_gives_what_the_first_does_not(folder, server):
    name = "test/running/running_1.txt"
    server.pages["abc.tar.gz"] = tarball({**CONTENT, name: b"something else"})
    server.pages["def.tar.gz"] = tarball({name: CONTENT[name]}, "data/cmu_mocap")
    download.fetch_cmu(((server.url("abc"), INSIDE), (server.url("def"), "data/cmu_mocap")))
    assert found(folder) == CONTENT


def test_whole_files_are_kept_and_damaged_ones_replaced(folder, server):
    whole, damaged = list(CONTENT)[:2]
    write(folder, {whole: CONTENT[whole], damaged: b"4,5"})
    stamp = (folder / whole).stat().st_mtime_ns
    server.pages["abc.tar.gz"] = tarball({n: c for n, c in CONTENT.items() if n != whole})
    fetch(server)
    assert found(folder) == CONTENT
    assert (folder / whole).stat().st_mtime_ns == stamp


def test_a_second_copy_beside_a_broken_off_download_is_said(folder, server):
    """Neither is overwritten, and which of them to keep is not guessed."""
    server.pages["abc.tar.gz"] = tarball({})
    for place in (folder, folder.with_name("cmu_expmap.partial")):
        write(place, dict([next(iter(CONTENT.items()))]))
    with pytest.raises(MissingDataError, match=r"cmu_expmap and .*partial are both there.*delete"):
        fetch(server)
    assert found(folder) and found(folder.with_name("cmu_expmap.partial"))


def test_nothing_is_fetched_where_everything_is(folder):
    write(folder, CONTENT)
    assert download.fetch_cmu(((UNREACHABLE, INSIDE),)) == folder


def test_an_unreachable_source_is_said_with_what_to_do(folder):
    with pytest.raises(MissingDataError) as problem:
        download.fetch_cmu(((UNREACHABLE, INSIDE),))
    message = str(problem.value)
    assert message.startswith("3 of 3 CMU files") and UNREACHABLE in message
    assert "cmu_expmap/{train,test}/<action>/" in message


@pytest.mark.parametrize("page", [None, b"<html>sign in</html>", b""])
def test_a_source_without_an_archive_is_said(folder, server, page):
    if page is not None:
        server.pages["abc.tar.gz"] = page
    with pytest.raises(MissingDataError, match="3 of 3 CMU files"):
        fetch(server)
    assert found(folder) == {} if folder.exists() else True


def test_a_source_that_lacks_the_files_is_said(folder, server):
    server.pages["abc.tar.gz"] = tarball({})
    with pytest.raises(MissingDataError, match="the sources do not hold them"):
        fetch(server)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_an_archive_that_was_cut_off_is_said(folder, server, share):
    noise = random.Random(0).randbytes(60_000)
    page = tarball({"other.bin": noise, **CONTENT, "more.bin": noise})
    server.pages["abc.tar.gz"] = page[: int(share * len(page))]
    if share > 0.5:  # the files came before the cut
        fetch(server)
        assert found(folder) == CONTENT
    else:
        with pytest.raises(MissingDataError, match=r"3 of 3 CMU files .*abc\.tar\.gz"):
            fetch(server)


def test_a_connection_that_breaks_is_said_and_the_next_source_asked(folder, server):
    page = tarball({"other.bin": random.Random(0).randbytes(60_000), **CONTENT})
    server.pages["abc.tar.gz"] = (page, 2000)
    with pytest.raises(MissingDataError, match=r"abc\.tar\.gz"):
        fetch(server)
    server.pages["def.tar.gz"] = tarball(CONTENT)
    fetch(server, "abc", "def")
    assert found(folder) == CONTENT


def test_a_short_address_works_as_well(folder, tmp_path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(tarball(CONTENT))
    download.fetch_cmu(((path.as_uri(), INSIDE),))
    assert found(folder) == CONTENT


def test_a_file_that_cannot_be_written_leaves_no_half(folder, server, monkeypatch):
    server.pages["abc.tar.gz"] = tarball(CONTENT)
    real = Path.write_bytes

    def full(path, content):
        real(path, content[:2])
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MissingDataError, match="disk full"):
        fetch(server)
    assert found(folder) == {}


def test_the_inventory_has_a_line_for_each_data_set(folder, monkeypatch, tmp_path):
    # the project's own data folder may hold something; here only the empty one counts
    for module in ("paths", "datasets.prepared"):
        monkeypatch.setattr(f"paperlib.{module}.data_dirs", lambda: (tmp_path,))
    lines = dict(line.split(": ", 1) for line in download.inventory())
    assert list(lines) == [*datasets.REGISTRY]
    assert lines["synthetic"] == lines["humaneva_like"] == "embedded"
    assert lines["cmu"].startswith("not here") and "python -m paperlib data cmu" in lines["cmu"]
    assert lines["human36m"].startswith("not here. Human3.6M: data_3d_h36m.npz")
    assert lines["humaneva"].startswith("not here. HumanEva-I: data_3d_humaneva15.npz")
    assert lines["bandai_namco"].startswith("not here. Bandai Namco")
    assert lines["mocap"] == lines["cmu"]  # which is the first of its two that is missing
    write(folder, CONTENT)
    lines = dict(line.split(": ", 1) for line in download.inventory())
    assert lines["mocap"] == lines["bandai_namco"]
    assert lines["cmu"] == f"in {folder.parent}"
