"""PURE: the list of all dashboards, in the order of their names' importance."""

from deploy.grafana.boards.alerts import alerts_board
from deploy.grafana.boards.asset import asset_board
from deploy.grafana.boards.gas import gas_board
from deploy.grafana.boards.overview import overview_board
from deploy.grafana.boards.platform import platform_board
from deploy.grafana.boards.power import power_board
from deploy.grafana.boards.traffic import traffic_board
from deploy.grafana.boards.water import water_board
from deploy.grafana.spec import Board, Setting

MAKERS = (
    overview_board,
    power_board,
    water_board,
    gas_board,
    traffic_board,
    alerts_board,
    asset_board,
    platform_board,
)


def every_board(setting: Setting) -> tuple[Board, ...]:
    return tuple(make(setting) for make in MAKERS)
