"""Why something was refused: one enum, spelled the same on the wire, in tables, metrics and logs."""

from enum import StrEnum


class Reason(StrEnum):
    """Each member's comment is its meaning for a device's maker."""

    MALFORMED = "malformed"  # not UTF-8 JSON of the documented shape
    TOO_LARGE = "too_large"  # over 64 KB
    UNKNOWN_TOPIC = "unknown_topic"  # no message kind of that name
    UNKNOWN_DEVICE = "unknown_device"  # not in the registry
    RETIRED_DEVICE = "retired_device"  # in the registry, taken out of service
    NOT_HOSTED = "not_hosted"  # this publisher does not host that device
    NO_CHANNELS = "no_channels"  # the device measures nothing (a pure gateway)
    EMPTY = "empty"  # no values, or every value refused
    BAD_SEQUENCE = "bad_sequence"  # seq without epoch, or out of 0 … 2^53
    TIME_MISSING = "time_missing"  # no time, and the device type does not allow that
    BAD_TIME = "bad_time"  # not RFC 3339 with an offset, nor integer milliseconds
    TOO_OLD = "too_old"  # before the accepted window
    IN_FUTURE = "in_future"  # after the accepted window
    UNKNOWN_CHANNEL = "unknown_channel"  # not a channel of the device type
    WRONG_UNIT = "wrong_unit"  # a unit that cannot be converted to the channel's
    NO_BIRTH = "no_birth"  # names only a birth explains, which has not come (Sparkplug)
    WRONG_TYPE = "wrong_type"  # a string for a measurement, a fraction for a state, …
    UNKNOWN_CODE = "unknown_code"  # not a code of the state
    NOT_FINITE = "not_finite"  # NaN, Infinity, or an integer beyond 2^53
    RANGE = "range"  # outside the hard range
    OVER_BUDGET = "over_budget"  # far more than it should send, for hours
    CONFLICT = "conflict"  # another value is stored for this time; send "revises" to correct it
    UNKNOWN_COMMAND = (
        "unknown_command"  # the result of something that this publisher was not asked
    )
