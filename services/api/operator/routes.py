"""All of /api/v1."""

from fastapi import APIRouter

from services.api.auth import endpoints as auth
from services.api.live import endpoints as live
from services.api.operator import endpoints
from services.api.operator.alerts import endpoints as alerts
from services.api.operator.city import endpoints as city
from services.api.operator.commands import endpoints as commands
from services.api.operator.datastreams import changes
from services.api.operator.datastreams import endpoints as datastreams
from services.api.operator.devices import endpoints as devices
from services.api.operator.latest import endpoints as latest
from services.api.operator.ledger import endpoints as ledger
from services.api.operator.observations import endpoints as observations
from services.api.operator.rejected import endpoints as rejected
from services.api.operator.relations import endpoints as relations
from services.api.operator.rules import endpoints as rules
from services.api.operator.things import endpoints as things
from services.api.operator.watch import endpoints as watch
from services.api.parameters import KnownParameters

_nouns = APIRouter(prefix="/api/v1")
for noun in (
    auth,
    city,
    things,
    relations,
    devices,
    commands,
    watch,
    datastreams,
    changes,
    observations,
    latest,
    alerts,
    rules,
    rejected,
    ledger,
    live,
):
    _nouns.include_router(noun.router)

router = APIRouter(dependencies=[KnownParameters])
router.include_router(endpoints.router)
router.include_router(_nouns)
