"""What a reader would stumble over: broken links, lost pictures, calls to other servers, errors."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_LOADED = {("img", "src"), ("script", "src"), ("link", "href"), ("source", "src"), ("video", "src")}
_ERROR = re.compile(r"^\[[^\]]*(?:ERROR|WARNING):CONSOLE[^\]]*\] (.*)$", re.MULTILINE)


def faults(folder: Path) -> list[str]:
    """Where the pages in ``folder`` point to what is not there, load what is elsewhere, or show a
    picture without a description."""
    written = (p for p in sorted(folder.rglob("*.html")) if "_static" not in p.parts)
    pages = {path: _read(path) for path in written}
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder).as_posix()
        found += [f"{name}: a picture without a description: {src}" for src in page.undescribed]
        for tag, attribute, address in page.addresses:
            target = urlsplit(address)
            if target.scheme in ("data", "mailto", "javascript"):
                continue
            if target.scheme or target.netloc:
                if (tag, attribute) in _LOADED and not page.is_only_named(tag, address):
                    found.append(f"{name}: loads {address}")
                continue
            place = path if not target.path else (path.parent / unquote(target.path)).resolve()
            if not place.exists():
                found.append(f"{name}: nothing at {address}")
            elif target.fragment and unquote(target.fragment) not in pages[place].names:
                found.append(f"{name}: no such place as {address}")
    return found


def opened(page: Path, width: int = 1280) -> tuple[str, list[str]]:
    """A page as a headless Chromium has it once its scripts ran, and what the console says of what
    went wrong. ``ValueError`` where there is no Chromium."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not browser:
        raise ValueError("no chromium on this machine: the pages were not opened in a browser")
    quiet = ["--headless=new", "--no-sandbox", "--allow-file-access-from-files"]
    drawn = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
    words = [browser, *quiet, *drawn, "--enable-logging=stderr", f"--window-size={width},900"]
    words += ["--virtual-time-budget=5000", "--dump-dom", page.resolve().as_uri()]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    return done.stdout, _ERROR.findall(done.stderr)


class _Page(HTMLParser):
    """The addresses that a page points to, the places in it that others can, and its pictures."""

    def __init__(self):
        super().__init__()
        self.addresses: list[tuple[str, str, str]] = []
        self.names: set[str] = {""}
        self.undescribed: list[str] = []
        self._relations: dict[str, str] = {}

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.names |= {attributes[a] for a in ("id", "name") if attributes.get(a)}
        for attribute in ("href", "src"):
            if address := attributes.get(attribute):
                self.addresses.append((tag, attribute, address))
                self._relations[address] = attributes.get("rel") or ""
        if tag == "img" and not attributes.get("alt"):
            self.undescribed.append((attributes.get("src") or "")[:60])

    def is_only_named(self, tag: str, address: str) -> bool:
        """Whether a ``<link>`` loads nothing: the canonical address, the next page."""
        return tag == "link" and not re.search("stylesheet|icon|preload", self._relations[address])


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    return page
