"""All of /open/v1."""

from fastapi import APIRouter

from services.api.opendata import observation_endpoints, registry_endpoints
from services.api.parameters import KnownParameters

router = APIRouter(dependencies=[KnownParameters])
router.include_router(registry_endpoints.router)
router.include_router(observation_endpoints.router)
