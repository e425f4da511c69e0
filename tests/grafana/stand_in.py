"""A stand-in for Grafana's HTTP API. It is NOT Grafana: no Grafana server can be had where these tests are made.

Paths, members and statuses are those of Grafana's published OpenAPI (public/openapi3.json of its repository) for the
few operations used here. What a client sends is checked strictly (an unknown member is refused); what is answered
carries the members that Grafana adds on its own: ids, versions, a newer schema, secureJsonFields without secrets.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from typing_extensions import override

TOKEN = "glsa_stand_in"
Answer = tuple[int, Any]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class CreateFolderCommand(Body):
    uid: str = Field(max_length=40, pattern=r"^[a-zA-Z0-9_-]+$")
    title: str = Field(min_length=1)
    description: str = ""
    parentUid: str = ""


class UpdateFolderCommand(Body):
    title: str
    overwrite: bool = False
    version: int | None = None
    description: str = ""


class DataSourceCommand(Body):
    """AddDataSourceCommand and UpdateDataSourceCommand."""

    name: str = Field(min_length=1)
    type: str = Field(min_length=1)
    access: Literal["proxy", "direct"]
    uid: str = Field(max_length=40)
    url: str = ""
    user: str = ""
    database: str = ""
    isDefault: bool = False
    jsonData: dict[str, Any] = Field(default_factory=dict)
    secureJsonData: dict[str, str] = Field(default_factory=dict)
    version: int | None = None


class SaveDashboardCommand(Body):
    dashboard: dict[str, Any]
    folderUid: str = ""
    message: str = ""
    overwrite: bool = False


class Query(BaseModel):
    """MetricRequest's entries are open: each data source has members of its own."""

    refId: str
    datasource: dict[str, str]
    intervalMs: float
    maxDataPoints: int
    rawSql: str


class MetricRequest(Body):
    queries: list[Query] = Field(min_length=1)
    from_: str = Field(alias="from", pattern=r"^\d+$")
    to: str = Field(pattern=r"^\d+$")


@dataclass
class State:
    """What this Grafana holds. denied: paths' beginnings the token may not touch; writes: all that changed it."""

    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    datasources: dict[str, dict[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    denied: tuple[str, ...] = ()
    right_password: str | None = None
    asked: list[str] = field(default_factory=list)

    def create_folder(self, body: Any, _uid: str) -> Answer:
        folder = CreateFolderCommand.model_validate(body)
        if folder.uid in self.folders:
            return 412, {"message": "a folder with this uid exists already"}
        self.folders[folder.uid] = {
            "id": len(self.folders) + 1, "uid": folder.uid, "title": folder.title,
            "url": f"/dashboards/f/{folder.uid}", "version": 1, "canSave": True,
        }  # fmt: skip
        return 200, self.folders[folder.uid]

    def update_folder(self, body: Any, uid: str) -> Answer:
        folder = UpdateFolderCommand.model_validate(body)
        there = self.folders[uid]
        if not folder.overwrite and folder.version != there["version"]:
            return 412, {"message": "the folder has been changed by someone else"}
        there.update(title=folder.title, version=there["version"] + 1)
        return 200, there

    def create_datasource(self, body: Any, _uid: str) -> Answer:
        source = DataSourceCommand.model_validate(body)
        names = {there["name"] for there in self.datasources.values()}
        if source.uid in self.datasources or source.name in names:
            return 409, {"message": "data source with the same name already exists"}
        return self._keep(source, len(self.datasources) + 1, version=1)

    def update_datasource(self, body: Any, uid: str) -> Answer:
        there = self.datasources.get(uid)
        if there is None:
            return 404, {"message": "Data source not found"}
        if there["readOnly"]:
            return 403, {"message": "Cannot update read-only data source"}
        source = DataSourceCommand.model_validate(body)
        return self._keep(source, there["id"], version=there["version"] + 1)

    def _keep(self, source: DataSourceCommand, number: int, *, version: int) -> Answer:
        open_part = source.model_dump(exclude={"secureJsonData", "version"})
        secrets = dict.fromkeys(source.secureJsonData, True)
        self.datasources[source.uid] = {
            **open_part, "id": number, "orgId": 1, "version": version, "basicAuth": False,
            "secureJsonFields": secrets, "readOnly": False, "typeLogoUrl": "", "withCredentials": False,
        }  # fmt: skip
        self.passwords[source.uid] = source.secureJsonData.get("password", "")
        kept = self.datasources[source.uid]
        return 200, {
            "datasource": kept,
            "id": number,
            "message": "",
            "name": source.name,
        }

    def datasource_health(self, uid: str) -> Answer:
        if uid not in self.datasources:
            return 404, {"message": "Data source not found"}
        if self.right_password not in (None, self.passwords[uid]):
            return 400, {"status": "ERROR", "message": "password authentication failed"}
        return 200, {"status": "OK", "message": "Database Connection OK"}

    def save_dashboard(self, body: Any, _uid: str) -> Answer:
        command = SaveDashboardCommand.model_validate(body)
        uid, title = command.dashboard["uid"], command.dashboard["title"]
        if command.folderUid and command.folderUid not in self.folders:
            return 400, {"message": "folder not found"}
        there = self.dashboards.get(uid)
        if there is not None and not command.overwrite:
            return 412, {"message": "version-mismatch", "status": "version-mismatch"}
        version = there["dashboard"]["version"] + 1 if there else 1
        number = there["dashboard"]["id"] if there else len(self.dashboards) + 1
        # As newer Grafanas do: a schema of its own, and defaults where nothing was said.
        kept = {
            **command.dashboard,
            "id": number,
            "version": version,
            "schemaVersion": 99,
            "liveNow": False,
        }
        self.dashboards[uid] = {
            "dashboard": kept,
            "meta": {"folderUid": command.folderUid, "version": version, "provisioned": False, "canSave": True},
        }  # fmt: skip
        return 200, {
            "id": number, "uid": uid, "url": f"/d/{uid}", "status": "success", "version": version, "slug": title,
        }  # fmt: skip

    def query(self, body: Any, _uid: str) -> Answer:
        request = MetricRequest.model_validate(body)
        self.asked += [query.rawSql for query in request.queries]
        if any("${" in query.rawSql for query in request.queries):
            return 400, {"results": {"A": {"status": 400, "error": "syntax error"}}}
        frames = {
            query.refId: {"status": 200, "frames": []} for query in request.queries
        }
        return 200, {"results": frames}


def _held(place: dict[str, dict[str, Any]], uid: str) -> Answer:
    return (200, place[uid]) if uid in place else (404, {"message": "not found"})


def _named(state: State, name: str) -> Answer:
    by_name = {source["name"]: source for source in state.datasources.values()}
    return _held(by_name, name)


def _source(state: State, uid: str) -> Answer:
    if uid.endswith("/health"):
        return state.datasource_health(uid.removesuffix("/health"))
    return _held(state.datasources, uid)


# Method, path of the OpenAPI up to {uid}, what does it. Those that only ask are not writes.
_READS: list[tuple[str, Callable[[State, str], Answer]]] = [
    ("/api/folders/", lambda state, uid: _held(state.folders, uid)),
    ("/api/datasources/name/", _named),
    ("/api/datasources/uid/", _source),
    ("/api/dashboards/uid/", lambda state, uid: _held(state.dashboards, uid)),
]
_WRITES: dict[tuple[str, str], Callable[[State, Any, str], Answer]] = {
    ("POST", "/api/folders"): State.create_folder,
    ("PUT", "/api/folders/"): State.update_folder,
    ("POST", "/api/datasources"): State.create_datasource,
    ("PUT", "/api/datasources/uid/"): State.update_datasource,
    ("POST", "/api/dashboards/db"): State.save_dashboard,
}


def answer(state: State, method: str, path: str, body: Any) -> Answer:
    if method == "GET":
        for begin, read in _READS:
            if path.startswith(begin):
                return read(state, path.removeprefix(begin))
        return 404, {"message": "Not found"}
    if (method, path) == ("POST", "/api/ds/query"):
        return state.query(body, "")
    for (verb, begin), write in _WRITES.items():
        if verb == method and (
            path == begin or (begin[-1] == "/" and path.startswith(begin))
        ):
            status, said = write(state, body, path.removeprefix(begin))
            if status == 200:
                state.writes.append(f"{method} {path}")
            return status, said
    return 404, {"message": "Not found"}


class _Door(BaseHTTPRequestHandler):
    state: ClassVar[State]

    def _serve(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        status, said = self._answer(body)
        sent = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def _answer(self, body: Any) -> Answer:
        path = self.path.removeprefix("/sub")
        if path == "/api/health":
            return 200, {"database": "ok", "version": "13.0.0-stand-in", "commit": "0"}
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        if path.startswith(self.state.denied or ("nothing",)):
            return 403, {"message": "You'll need additional permissions"}
        try:
            return answer(self.state, self.command, path, body)
        except ValidationError as error:
            return 400, {"message": f"bad request data: {error}"}

    do_GET = do_POST = do_PUT = _serve

    @override
    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: a test's output is its own."""


@contextmanager
def running() -> Iterator[tuple[str, State]]:
    """Its URL and what it holds."""
    state = State()
    door = type("Door", (_Door,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), door)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="stand-in"
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
