"""The reference device client: a disk outbox, numbers, receipts and commands for one publisher (docs/device-client.md)."""

from device_sim.client.client import (
    ClientSettings,
    ClockNotSetError,
    DeviceClient,
    MessageTooLargeError,
)

__all__ = ["ClientSettings", "ClockNotSetError", "DeviceClient", "MessageTooLargeError"]
