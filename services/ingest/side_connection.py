"""A database connection beside the writer's, made when it is needed and made anew when it is gone."""

from services.core.storage.pool import Connection, connect


class SideConnection:
    """For one user at a time."""

    def __init__(self, dsn: str, application: str) -> None:
        self._dsn = dsn
        self._application = application
        self._connection: Connection | None = None

    async def get(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._dsn, self._application)
        return self._connection

    def terminate(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
