"""Users of the broker that are no publishers. A dot is in no device id: no device can take over a service's session."""

from typing import Final

INGEST: Final = "alatau.ingest"
# Ingest's second connection, with the same secret: what it tells publishers.
DOWNLINK: Final = "alatau.downlink"
# It may open no topic; on the door's own listener it may take over any session, to end it.
DOOR: Final = "alatau.door"
OF_INGEST: Final = (INGEST, DOWNLINK)
