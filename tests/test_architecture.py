"""Who may import whom, and what pure files may not do (docs/decisions/0001-layout.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOUSES = ("services", "device_sim", "deploy")

# For each place: which of our own packages it may import. The longest matching place decides.
OWN_IMPORTS = {
    "services/core": ("services.core",),
    "services/core/city": ("services.core.city",),
    "services/core/alerting": ("services.core.city", "services.core.alerting"),
    "services/ingest": ("services.core", "services.ingest"),
    "services/rules": ("services.core", "services.rules"),
    "services/history": ("services.core", "services.history"),
    "services/api": ("services.core", "services.api"),
    "services/cli": ("services", "device_sim", "deploy"),
    "device_sim": (
        "device_sim",
        "services.core.city",
        "services.core.broker",
        "services.core.clock",
    ),
    "deploy": ("deploy", "services.core"),
}

# For each foreign package: the only places that may import it.
FOREIGN_IMPORTS = {
    "paho": ("services/core/broker/client.py", "services/core/broker/session.py"),
    "asyncpg": ("services/core/storage/",),
    "fastapi": ("services/api/",),
    "starlette": (
        "services/api/",
        "services/core/http_server.py",
        "services/ingest/door/",
    ),
    "uvicorn": ("services/core/http_server.py",),
    "sqlalchemy": ("services/core/storage/",),
    "alembic": ("services/core/storage/",),
    "typer": ("services/cli/",),
    "rich": ("services/cli/",),
    "grafana_client": ("deploy/grafana/server.py",),
    "google": ("services/ingest/decoders/sparkplug/",),
    "cbor2": ("services/ingest/decoders/senml/",),
    "cryptography": ("services/core/authority.py",),
    "niquests": ("deploy/grafana/server.py",),
    "grafana_foundation_sdk": ("deploy/grafana/",),
}
STORE_MODULES = (
    "asyncpg",
)  # may also be imported by modules named store.py or *_store.py

PURE_FORBIDDEN = {
    "asyncio", "socket", "subprocess", "os", "pathlib", "io", "shutil", "tempfile", "time", "urllib",
    "http", "ssl", "threading", "multiprocessing", "asyncpg", "paho", "fastapi", "sqlite3", "structlog",
}  # fmt: skip
PURE_FORBIDDEN_CALLS = {"open", "print", "input"}
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}


def sources() -> list[Path]:
    return sorted(
        path
        for house in HOUSES
        for path in (ROOT / house).rglob("*.py")
        if "node_modules" not in path.parts
    )


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # "from services.core import clock" imports services.core.clock
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(
        module == package or module.startswith(f"{package}.") for package in packages
    )


def place_of(name: str) -> str:
    return max(
        (place for place in OWN_IMPORTS if name.startswith(f"{place}/")),
        key=len,
        default="",
    )


def is_pure(tree: ast.Module) -> bool:
    return (ast.get_docstring(tree) or "").startswith("PURE")


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sources()
    }


def test_there_is_something_to_check(trees: dict[str, ast.Module]) -> None:
    assert len(trees) > 20


def test_packages_import_only_what_they_may(trees: dict[str, ast.Module]) -> None:
    wrong = [
        f"{name} imports {module}"
        for name, tree in trees.items()
        if (place := place_of(name))
        for module in imports(tree)
        if module.split(".")[0] in HOUSES and not within(module, OWN_IMPORTS[place])
    ]
    assert not wrong, "\n".join(wrong)


def test_the_core_of_the_city_needs_only_the_standard_library(
    trees: dict[str, ast.Module],
) -> None:
    import sys  # noqa: PLC0415 # only this test needs it

    wrong = [
        f"{name} imports {module}"
        for name, tree in trees.items()
        if name.startswith("services/core/city/")
        for module in imports(tree)
        if module.split(".")[0] not in {*sys.stdlib_module_names, "services"}
    ]
    assert not wrong, "\n".join(wrong)


def test_foreign_packages_stay_in_their_rooms(trees: dict[str, ast.Module]) -> None:
    wrong = []
    for name, tree in trees.items():
        for package in {
            module.split(".")[0] for module in imports(tree)
        } & FOREIGN_IMPORTS.keys():
            store = package in STORE_MODULES and name.endswith("store.py")
            if not store and not name.startswith(FOREIGN_IMPORTS[package]):
                wrong.append(f"{name} imports {package}")
    assert not wrong, "\n".join(wrong)


def test_pure_files_do_no_io_and_ask_no_clock(trees: dict[str, ast.Module]) -> None:
    wrong = []
    for name, tree in trees.items():
        if not is_pure(tree):
            continue
        wrong += [
            f"{name} imports {module}"
            for module in imports(tree)
            if module.split(".")[0] in PURE_FORBIDDEN
        ]
        wrong += [
            f"{name}:{node.lineno} calls {node.func.id}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in PURE_FORBIDDEN_CALLS
        ]
    assert not wrong, "\n".join(wrong)


def test_core_city_and_alerting_are_pure(trees: dict[str, ast.Module]) -> None:
    wrong = [
        name
        for name, tree in trees.items()
        if name.startswith(("services/core/city/", "services/core/alerting/"))
        and not is_pure(tree)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_module_says_its_purpose_in_one_line(
    trees: dict[str, ast.Module],
) -> None:
    wrong = [
        name
        for name, tree in trees.items()
        if not (ast.get_docstring(tree) or "").splitlines()[:1]
    ]
    assert not wrong, "\n".join(wrong)


def test_no_file_has_a_name_that_says_nothing(trees: dict[str, ast.Module]) -> None:
    wrong = [
        name
        for name in trees
        if set(Path(name).with_suffix("").parts) & FORBIDDEN_NAMES
    ]
    assert not wrong, "\n".join(wrong)


def test_no_slash_topics_outside_the_topics_module(
    trees: dict[str, ast.Module],
) -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in trees.items()
        if name.startswith(
            (
                "services/ingest/",
                "services/rules/",
                "services/history/",
                "services/api/",
                "device_sim/",
            )
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith("city/v1/")
    ]
    assert not wrong, "\n".join(wrong)
