"""Database roles: one for each service, an owner for migrations, a reader for people."""

from deploy.native.home import Secrets
from services.core.storage.pool import connect

DATABASE = "alatau"
OWNER = "alatau_owner"
READER = "alatau_reader"
GRAFANA = "alatau_grafana"
READERS_CONNECTIONS = 20
# Who asks the database for what; the grants are in services/core/storage/schema/grants.sql.
ROLE_OF_SERVICE = {
    "ingest": "alatau_ingest",
    "rules": "alatau_rules",
    "history": "alatau_history",
    "api": "alatau_api",
    "broker-door": "alatau_door",
}
SUPERUSER_SECRET = "database-superuser"  # noqa: S105 - a file's name


def secret_name(role: str) -> str:
    return f"database-{role.removeprefix('alatau_')}"


async def ensure_roles(superuser_dsn: str, secrets: Secrets) -> None:
    """Make what is missing and set every password again, so that a lost or changed secrets file mends itself.

    Raises:
        StorageUnavailableError: there is no server, or it does not let us in.
    """
    roles = (OWNER, READER, GRAFANA, *ROLE_OF_SERVICE.values())
    statements = [_role(role, secrets.get(secret_name(role))) for role in roles]
    limits = [_only_reads(READER, seconds=60), _only_reads(GRAFANA, seconds=10)]
    # The owner may check foreign keys of millions of new rows at once instead of one by one.
    rights = f"""
        REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
        GRANT CONNECT ON DATABASE {DATABASE} TO {", ".join(roles)};
        GRANT SET ON PARAMETER session_replication_role TO {OWNER};
    """
    there = f"SELECT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}')"  # noqa: S608 - names from this file
    connection = await connect(superuser_dsn, "roles")
    try:
        await connection.execute("".join([*statements, *limits]))
        if not await connection.fetchval(there):
            await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
        await connection.execute(rights)
    finally:
        await connection.close()


def _role(name: str, secret: str) -> str:
    """The secret is URL-safe base64: nothing in it needs quoting."""
    return f"""
        DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
                CREATE ROLE {name} LOGIN;
            END IF;
        END $$;
        ALTER ROLE {name} PASSWORD '{secret}';
    """


def _only_reads(role: str, *, seconds: int) -> str:
    """Many small queries: compiling one costs more than it saves, and nobody may take every connection."""
    return f"""
        ALTER ROLE {role} CONNECTION LIMIT {READERS_CONNECTIONS};
        ALTER ROLE {role} SET default_transaction_read_only = on;
        ALTER ROLE {role} SET statement_timeout = '{seconds}s';
        ALTER ROLE {role} SET jit = off;
    """
