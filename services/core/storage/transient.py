"""Transient or permanent: decided once, by SQLSTATE, for every statement of the platform."""

import asyncpg

from services.core.errors import StorageUnavailableError

# Class 08 connection, 40 rollback, 53 resources, 55 object state, 57 operator intervention, 58 system, XX internal.
_TRANSIENT_CLASSES = frozenset({"08", "40", "53", "55", "57", "58", "XX"})


def is_transient(error: BaseException) -> bool:
    """Whether the same statement may succeed later: retry the whole batch; otherwise it never will."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _TRANSIENT_CLASSES
    return isinstance(
        error,
        OSError
        | TimeoutError
        | StorageUnavailableError
        | asyncpg.InterfaceError
        | asyncpg.InternalClientError,
    )
