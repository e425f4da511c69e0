"""SQL of users and sessions; every change of a user is in the audit, in the same transaction."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.api.auth.permissions import Actor, Role
from services.core.storage.pool import Connection


@dataclass(frozen=True, slots=True)
class User:
    """domains, districts (keys): None is all."""

    name: str
    role: Role
    domains: Sequence[str] | None = None
    districts: Sequence[str] | None = None
    disabled_at: dt.datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "role": str(self.role),
            "domains": self.domains,
            "districts": self.districts,
            "disabled": self.disabled_at is not None,
        }


@dataclass(frozen=True, slots=True)
class Session:
    actor: Actor
    expires_at: dt.datetime


async def find_credentials(connection: Connection, name: str) -> tuple[int, str] | None:
    """(user_id, password hash) of a user who may log in."""
    row = await connection.fetchrow(
        "SELECT user_id, password_hash FROM users WHERE name = $1 AND disabled_at IS NULL",
        name,
    )
    return None if row is None else (row["user_id"], row["password_hash"])


async def open_session(
    connection: Connection,
    user_id: int,
    token_hash: bytes,
    now: dt.datetime,
    expires_at: dt.datetime,
) -> None:
    """Sessions that have run out go at the same time."""
    async with connection.transaction():
        await connection.execute("DELETE FROM sessions WHERE expires_at <= $1", now)
        await connection.execute(
            "INSERT INTO sessions (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
            token_hash,
            user_id,
            now,
            expires_at,
        )


async def close_session(connection: Connection, token_hash: bytes) -> None:
    await connection.execute("DELETE FROM sessions WHERE token_hash = $1", token_hash)


async def find_session(
    connection: Connection, token_hash: bytes, now: dt.datetime
) -> Session | None:
    row = await connection.fetchrow(
        """
        SELECT user_id, name, role, domains, districts, expires_at
        FROM sessions JOIN users USING (user_id)
        WHERE token_hash = $1 AND expires_at > $2 AND disabled_at IS NULL
        """,
        token_hash,
        now,
    )
    return None if row is None else Session(_actor(row), row["expires_at"])


async def add_user(
    connection: Connection, user: User, password_hash: str, actor: str
) -> bool:
    """Whether the name was free."""
    async with connection.transaction():
        added = await connection.fetchval(
            """
            INSERT INTO users (name, password_hash, role, domains, districts) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (name) DO NOTHING RETURNING true
            """,
            user.name,
            password_hash,
            user.role,
            user.domains,
            user.districts,
        )
        if added:
            await _audit(connection, actor, "create", user.name, user.as_dict())
    return bool(added)


async def set_password(
    connection: Connection, name: str, password_hash: str, actor: str
) -> bool:
    """Whether there is such a user; all its sessions end."""
    async with connection.transaction():
        user_id = await connection.fetchval(
            "UPDATE users SET password_hash = $2 WHERE name = $1 RETURNING user_id",
            name,
            password_hash,
        )
        if user_id is not None:
            await _end_sessions(connection, user_id)
            await _audit(connection, actor, "rotate", name, None)
    return user_id is not None


async def set_disabled(
    connection: Connection, name: str, disabled_at: dt.datetime | None, actor: str
) -> bool:
    """Whether there is such a user; a disabled user's sessions end."""
    async with connection.transaction():
        user_id = await connection.fetchval(
            "UPDATE users SET disabled_at = $2 WHERE name = $1 RETURNING user_id",
            name,
            disabled_at,
        )
        if user_id is not None:
            await _end_sessions(connection, user_id)
            action = "restore" if disabled_at is None else "revoke"
            await _audit(connection, actor, action, name, None)
    return user_id is not None


async def list_users(connection: Connection) -> list[User]:
    rows = await connection.fetch(
        "SELECT name, role, domains, districts, disabled_at FROM users ORDER BY name"
    )
    return [
        User(
            row["name"],
            Role(row["role"]),
            row["domains"],
            row["districts"],
            row["disabled_at"],
        )
        for row in rows
    ]


async def _end_sessions(connection: Connection, user_id: int) -> None:
    await connection.execute("DELETE FROM sessions WHERE user_id = $1", user_id)


async def _audit(
    connection: Connection,
    actor: str,
    action: str,
    name: str,
    new: Mapping[str, Any] | None,
) -> None:
    await connection.execute(
        "INSERT INTO audit (actor, action, entity, entity_key, new) VALUES ($1, $2, 'users', $3, $4)",
        actor,
        action,
        name,
        new,
    )


def _actor(row: Mapping[str, Any]) -> Actor:
    return Actor(
        user_id=row["user_id"],
        name=row["name"],
        role=Role(row["role"]),
        domains=_keys(row["domains"]),
        districts=_keys(row["districts"]),
    )


def _keys(keys: Sequence[str] | None) -> frozenset[str] | None:
    return None if keys is None else frozenset(keys)
