"""The built console, read into memory once: what is not in it cannot be asked for."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

BUILT: Final = Path(__file__).with_name("built")
FOLDER: Final = "console"
_INDEX: Final = "index.html"
_MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
# Vite puts a hash of the contents into the names of all it makes.
_HASHED: Final = re.compile(r"-[A-Za-z0-9_-]{8}\.[a-z0-9.]+$")


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """lasting: whether its name changes with its contents."""

    body: bytes = field(repr=False)
    media_type: str
    etag: str
    lasting: bool


@dataclass(frozen=True, slots=True)
class BuiltConsole:
    """index: None where nothing has been built. files: by their path below /console/."""

    index: BuiltFile | None = None
    files: Mapping[str, BuiltFile] = field(default_factory=dict)


@cache
def read_console(built: Path = BUILT) -> BuiltConsole:
    """All of it; what has been built later is seen by the next process."""
    if not (built / _INDEX).is_file():
        return BuiltConsole()
    folder = built / FOLDER
    files = {
        path.relative_to(folder).as_posix(): _read(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in _MEDIA_TYPES
    }
    return BuiltConsole(_read(built / _INDEX), files)


def _read(path: Path) -> BuiltFile:
    body = path.read_bytes()
    return BuiltFile(
        body,
        _MEDIA_TYPES[path.suffix],
        # Weak: the same contents also go out compressed.
        f'W/"{hashlib.sha256(body).hexdigest()[:16]}"',
        _HASHED.search(path.name) is not None,
    )
