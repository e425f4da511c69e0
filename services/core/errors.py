"""The error tree: the docstring is the default message; facts are attributes."""

from typing import ClassVar


class PlatformError(Exception):
    """Something went wrong."""

    remedy: ClassVar[str] = ""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class ConfigurationError(PlatformError):
    """The configuration cannot be used."""


class CityFileError(PlatformError):
    """The city file cannot be used."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RuleError(PlatformError):
    """The rule cannot be used."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StorageUnavailableError(PlatformError):
    """The database does not answer."""

    remedy = "Is it running? `alatau status` tells; --home or ALATAU_DATABASE_URL say which one is meant."


class WriterFencedError(PlatformError):
    """Another writer has taken over this log stream."""


class CursorTooOldError(PlatformError):
    """The event log no longer holds what comes after this cursor."""


class BrokerUnavailableError(PlatformError):
    """There is no connection to the broker, or it went before the broker answered."""


class SubscriptionRefusedError(PlatformError):
    """The broker does not let this user subscribe."""
