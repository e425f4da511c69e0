"""The same city as the API's own tests."""

from tests.integration.api.conftest import (
    api,
    city_template,
    city_url,
    opened,
    quiet,
)

__all__ = ["api", "city_template", "city_url", "opened", "quiet"]
