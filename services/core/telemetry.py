"""Logs and our own process counters."""

import logging
import sys

import structlog
from prometheus_client import start_http_server

_SECRET_WORDS = ("password", "secret", "token", "dsn", "database_url")


def _hide_secrets(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    return {
        key: "***" if any(word in key.lower() for word in _SECRET_WORDS) else value
        for key, value in event.items()
    }


def configure_logs(log_format: str, level: str) -> None:
    """Log lines to standard error: a sentence for people plus action= and facts for machines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _hide_secrets,
            *_rendering(log_format),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            getattr(logging, level.upper())
        ),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _rendering(log_format: str) -> list[structlog.typing.Processor]:
    """Tracebacks are plain: drawn with all locals they take seconds, and would show secrets."""
    if log_format == "json":
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]


def serve_metrics(host: str, port: int | None) -> None:
    """/metrics for Prometheus; nothing without a port."""
    if port is not None:
        start_http_server(port, addr=host)
