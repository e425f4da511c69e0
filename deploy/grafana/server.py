"""A Grafana over HTTP (grafana-client): what we ask of it, and what its refusals mean."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import niquests.exceptions
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaClientError, GrafanaException

from services.core.errors import PlatformError

Document = dict[str, Any]
SECONDS: Final = 20.0


class GrafanaUnreachableError(PlatformError):
    """Nothing answers as Grafana does."""

    remedy = "Give the address you open in the browser, with its sub-path if it has one: --url https://HOST/grafana"


class GrafanaRefusedError(PlatformError):
    """Grafana does not let us, or does not take what we send."""


class TokenRefusedError(GrafanaRefusedError):
    """Grafana does not know the token."""

    remedy = "Make a service account with the role Admin and a token: Administration → Users and access → Service accounts."


class NotPermittedError(GrafanaRefusedError):
    """The token's account may not do this."""

    remedy = (
        "The service account needs the role Admin, or: datasources:read/create/write/query, "
        "folders:read/create/write, dashboards:read/create/write."
    )


class GrafanaServer:
    """Uids only: numbers of Grafana's own database appear nowhere.

    Every method raises:
        GrafanaUnreachableError, TokenRefusedError, NotPermittedError, GrafanaRefusedError.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise GrafanaUnreachableError(f"{url!r} is no address of a Grafana.")
        self._url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        # A sub-path wants its slash at the end.
        self._api: Any = GrafanaApi.from_url(
            f"{self._url}/", credential=token, timeout=SECONDS
        )

    def version(self) -> str:
        def ask() -> Any:
            return self._api.client.GET("/health")

        answer = self._ask("read its health", ask)
        if not isinstance(answer, dict) or "database" not in answer:
            raise GrafanaUnreachableError(f"{self._url} is no Grafana.")
        return str(answer.get("version", "of unknown version"))

    def folder(self, uid: str) -> Document | None:
        return self._find("read folders", lambda: self._api.folder.get_folder(uid))

    def create_folder(self, uid: str, title: str) -> None:
        self._ask("create folders", lambda: self._api.folder.create_folder(title, uid))

    def rename_folder(self, uid: str, title: str) -> None:
        def rename() -> Any:
            return self._api.folder.update_folder(uid, title, overwrite=True)

        self._ask("change folders", rename)

    def datasource(self, uid: str) -> Document | None:
        return self._find(
            "read data sources", lambda: self._api.datasource.get_datasource_by_uid(uid)
        )

    def datasource_named(self, name: str) -> Document | None:
        return self._find(
            "read data sources", lambda: self._api.datasource.find_datasource(name)
        )

    def create_datasource(self, source: Document) -> None:
        self._ask(
            "create data sources",
            lambda: self._api.datasource.create_datasource(source),
        )

    def update_datasource(self, uid: str, source: Document) -> None:
        self._ask(
            "change data sources",
            lambda: self._api.datasource.update_datasource_by_uid(uid, source),
        )

    def health_of_datasource(self, uid: str) -> str | None:
        """What is wrong with it; None: nothing."""
        try:
            answer = self._api.datasource.health(uid)
        except GrafanaException as error:
            return _message(error)
        except niquests.exceptions.RequestException as error:
            raise GrafanaUnreachableError(f"{self._url} does not answer.") from error
        return None if answer.get("status") == "OK" else str(answer.get("message"))

    def dashboard(self, uid: str) -> Document | None:
        """Members: dashboard, meta."""
        return self._find(
            "read dashboards", lambda: self._api.dashboard.get_dashboard(uid)
        )

    def save_dashboard(self, payload: Document) -> None:
        self._ask(
            "write dashboards", lambda: self._api.dashboard.update_dashboard(payload)
        )

    def query(self, payload: Document) -> Document:
        """/api/ds/query: what a panel gets."""

        def ask() -> Any:
            return self._api.client.POST("/ds/query", json=payload)

        answer: Document = self._ask("query data sources", ask)
        return answer

    def _find(self, what: str, ask: Callable[[], Any]) -> Document | None:
        """None where it is not there."""
        try:
            found: Document = self._ask(what, ask)
        except GrafanaRefusedError as error:
            cause = error.__cause__
            if (
                isinstance(cause, GrafanaException)
                and cause.status_code == HTTPStatus.NOT_FOUND
            ):
                return None
            raise
        return found

    def _ask(self, what: str, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except GrafanaClientError as error:
            if error.status_code == HTTPStatus.UNAUTHORIZED:
                raise TokenRefusedError("Grafana does not know this token.") from error
            if error.status_code == HTTPStatus.FORBIDDEN:
                raise NotPermittedError(f"This token may not {what}.") from error
            raise GrafanaRefusedError(
                f"Grafana refuses to {what}: {_message(error)}"
            ) from error
        except GrafanaException as error:
            raise GrafanaUnreachableError(
                f"{self._url} cannot {what}: {_message(error)}"
            ) from error
        except (niquests.exceptions.RequestException, ValueError) as error:
            raise GrafanaUnreachableError(
                f"{self._url} does not answer as Grafana does."
            ) from error


def _message(error: GrafanaException) -> str:
    said = error.response
    if isinstance(said, dict):
        return str(said.get("message") or said)
    return str(said or error)
