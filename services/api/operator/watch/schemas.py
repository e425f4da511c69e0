"""The conformance report as the API gives it."""

from typing import Any

from pydantic import BaseModel, Field

from services.core.conformance.checks import Verdict


class ConformanceCheck(BaseModel):
    """One line of the checklist."""

    check: str = Field(
        description="Which one; docs/operations.md lists them.", examples=["sequence"]
    )
    title: str = Field(
        description="What it wants, in the language asked for.",
        examples=["seq rises without gaps"],
    )
    verdict: Verdict = Field(description="How it went.", examples=["passed"])
    verdict_name: str = Field(description="The same in words.", examples=["passed"])
    numbers: dict[str, Any] = Field(
        description="What was measured.", examples=[{"first": 1, "last": 90}]
    )


class ConformanceReport(BaseModel):
    """Whether a device speaks the protocol, judged from what was watched of it."""

    device: str = Field(description="The device id.", examples=["air-avenue-1"])
    title: str = Field(
        description="The report's name.", examples=["Conformance report"]
    )
    messages: int = Field(description="How many were watched.", examples=[90])
    checks: list[ConformanceCheck] = Field(
        description="The checklist, in its order.", max_length=30
    )
