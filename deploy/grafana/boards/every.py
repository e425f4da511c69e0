"""PURE: the list of all dashboards, in the order of their names' importance."""

from collections.abc import Callable
from typing import Final

from deploy.grafana.boards.alerts import alerts_board
from deploy.grafana.boards.asset import asset_board
from deploy.grafana.boards.gas import gas_board
from deploy.grafana.boards.overview import overview_board
from deploy.grafana.boards.platform import platform_board
from deploy.grafana.boards.power import power_board
from deploy.grafana.boards.traffic import traffic_board
from deploy.grafana.boards.water import water_board
from deploy.grafana.spec import Board, Setting
from services.core.city.catalogue import Domain

# By what each is about: a city that measures none of it has no such dashboard.
MAKERS: Final[tuple[tuple[Callable[[Setting], Board], tuple[Domain, ...]], ...]] = (
    (overview_board, tuple(Domain)),
    (power_board, (Domain.POWER,)),
    (water_board, (Domain.WATER, Domain.WASTEWATER)),
    (gas_board, (Domain.GAS,)),
    (traffic_board, (Domain.TRAFFIC,)),
    (alerts_board, tuple(Domain)),
    (asset_board, tuple(Domain)),
    (platform_board, tuple(Domain)),
)


def every_board(setting: Setting) -> tuple[Board, ...]:
    return tuple(
        make(setting) for make, domains in MAKERS if setting.properties(*domains)
    )
