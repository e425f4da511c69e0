"""Database roles: one for each service, an owner for migrations, a reader for people."""

from deploy.native.home import Secrets
from deploy.native.postgres import PostgresCluster

DATABASE = "alatau"
OWNER = "alatau_owner"
READER = "alatau_reader"
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


def ensure_roles(cluster: PostgresCluster, secrets: Secrets) -> None:
    """Make what is missing and set every password again, so that a lost or changed secrets file mends itself."""
    roles = (OWNER, READER, *ROLE_OF_SERVICE.values())
    statements = [_role(role, secrets.get(secret_name(role))) for role in roles]
    limits = f"""
        ALTER ROLE {READER} SET default_transaction_read_only = on;
        ALTER ROLE {READER} SET statement_timeout = '60s';
        SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'
        WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
        REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
        GRANT CONNECT ON DATABASE {DATABASE} TO {", ".join(roles)};
    """  # noqa: S608 - names from this file
    cluster.sql("".join(statements) + limits, password=secrets.get(SUPERUSER_SECRET))


def _role(name: str, secret: str) -> str:
    """The secret is URL-safe base64: nothing in it needs quoting."""
    return f"""
        SELECT 'CREATE ROLE {name} LOGIN'
        WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') \\gexec
        ALTER ROLE {name} PASSWORD '{secret}';
    """  # noqa: S608 - names from this file
