"""PURE: the licence of everything behind the open doors."""

from typing import Final

LICENCE_ID: Final = "CC-BY-4.0"
LICENCE: Final = {
    "id": LICENCE_ID,
    "name": "Creative Commons Attribution 4.0 International",
    "url": "https://creativecommons.org/licenses/by/4.0/",
}
LICENCE_LINK: Final = f'<{LICENCE["url"]}>; rel="license"'
