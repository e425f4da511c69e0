"""A client that watches alerts; every change comes, in order."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from typing_extensions import override

from services.api.auth.permissions import Place
from services.api.live.client import Client, Pace, event
from services.api.live.feeds import Feeds, SaidChange


@dataclass(frozen=True, slots=True)
class AlertSelection:
    """Which alerts somebody wants and may see. None: all. may_see: the one question, asked of each place."""

    may_see: Callable[[Place], object]
    domains: Collection[str] | None = None
    districts: Collection[str] | None = None
    severities: Collection[str] | None = None

    def has(self, change: SaidChange) -> bool:
        return (
            _among(change.place.domain, self.domains)
            and _among(change.place.district, self.districts)
            and _among(change.severity, self.severities)
            and bool(self.may_see(change.place))
        )


def _among(word: str | None, words: Collection[str] | None) -> bool:
    return words is None or word in words


class AlertClient(Client):
    """Alerts that want an operator, then every change of any that the client may see."""

    def __init__(
        self,
        feeds: Feeds,
        selection: AlertSelection,
        pace: Pace,
        read_inbox: Callable[[], Awaitable[Sequence[Any]]],
    ) -> None:
        super().__init__(feeds, feeds.alerts, replace(pace, together=0.0))
        self._alerts = feeds.alerts
        self._selection = selection
        self._read_inbox = read_inbox

    @override
    async def snapshot(self) -> Sequence[bytes]:
        # The place first: what changes while the inbox is read comes twice, never not at all.
        self._batch = self._alerts.batch
        document = {"alerts": await self._read_inbox()}
        return [event("snapshot", document, self._feed, self._batch)]

    @override
    def changes(self) -> bytes | None:
        batches = self._alerts.after(self._batch)
        self._batch = self._alerts.batch
        said = [
            change.document
            for batch in batches
            for change in batch.changes
            if self._selection.has(change)
        ]
        return (
            event("alerts", {"changes": said}, self._feed, self._batch)
            if said
            else None
        )
