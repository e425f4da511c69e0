"""Answers what comes in by control: incidents, faults, how it stands."""

from device_sim.control import (
    AddFault,
    Answer,
    Request,
    StartIncident,
    TellStanding,
)
from device_sim.publisher import Surroundings
from device_sim.simulator import Cast
from device_sim.world.incidents import Incident

_USUAL = 75.0  # seconds that an incident lasts


class Desk:
    def __init__(self, cast: Cast, around: Surroundings) -> None:
        self._cast = cast
        self._around = around

    def respond(self, request: Request) -> Answer:
        match request:
            case StartIncident():
                return self._start(request)
            case AddFault():
                return self._add_fault(request)
            case TellStanding():
                return Answer(ok=True, detail=self._standing())

    def _start(self, request: StartIncident) -> Answer:
        now = self._around.clock.now_ms() / 1000
        targets = self._cast.world.targets(request.kind)
        if not targets:
            raise LookupError(f"nothing in this city can have {request.kind}")
        incident = Incident(
            request.kind,
            request.on or targets[0],
            now + request.after,
            request.duration or _USUAL,
        )
        self._cast.world.start(incident)
        self._around.tell(
            "an incident is set",
            action="incident",
            kind=incident.kind,
            on=incident.thing,
            after=request.after,
            duration=incident.duration,
        )
        return Answer(
            ok=True,
            detail=f"{incident.kind} on {incident.thing} in {request.after:g} s for {incident.duration:g} s",
        )

    def _add_fault(self, request: AddFault) -> Answer:
        start = self._around.elapsed() + request.fault.start
        fault = request.fault
        self._around.faults.add(
            type(fault)(
                kind=fault.kind, on=fault.on, start=start, duration=fault.duration
            )
        )
        return Answer(
            ok=True, detail=f"{fault.kind} on {fault.on} for {fault.duration:g} s"
        )

    def _standing(self) -> str:
        publishers = self._cast.publishers.values()
        connected = sum(publisher.connected.is_set() for publisher in publishers)
        pending = sum(publisher.outbox.pending for publisher in publishers)
        return f"{connected} of {len(publishers)} publishers connected, {pending} messages pending"
