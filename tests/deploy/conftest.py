"""The image's contents, made once."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.dockerfile import Image, build


@pytest.fixture(scope="session")
def image() -> Iterator[Image]:
    folder = Path(tempfile.mkdtemp(prefix="alatau-image-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield build(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
