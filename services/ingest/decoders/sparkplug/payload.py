"""PURE: Sparkplug B payloads on the wire: what of them the platform reads and writes.

Source: Sparkplug 3.0.0, chapter 6.4; field numbers as in its schema. Members that are not named here are skipped.
"""

from typing import Any, Final

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

__all__ = ["DecodeError", "Payload"]

_PACKAGE: Final = "sparkplug"
# Name, type (* repeated), number.
_MESSAGES: Final = {
    "PropertyValue": """
        type uint32 1, is_null bool 2, int_value uint32 3, long_value uint64 4""",
    "PropertySet": """
        keys string* 1, values PropertyValue* 2""",
    "Metric": """
        name string 1, alias uint64 2, timestamp uint64 3, datatype uint32 4, is_historical bool 5,
        is_null bool 7, properties PropertySet 9, int_value uint32 10, long_value uint64 11,
        float_value float 12, double_value double 13, boolean_value bool 14, string_value string 15""",
    "Payload": """
        timestamp uint64 1, metrics Metric* 2, seq uint64 3, uuid string 4, body bytes 5""",
}
_TYPES: Final = {
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
    "float": FieldDescriptorProto.TYPE_FLOAT,
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "string": FieldDescriptorProto.TYPE_STRING,
}


def _schema() -> FileDescriptorProto:
    schema = FileDescriptorProto(name="sparkplug", package=_PACKAGE, syntax="proto2")
    for name, fields in _MESSAGES.items():
        message = schema.message_type.add(name=name)
        for words in fields.split(","):
            field, kind, number = words.split()
            message.field.append(_field(field, kind, int(number)))
    return schema


def _field(name: str, kind: str, number: int) -> FieldDescriptorProto:
    plain = kind.removesuffix("*")
    field = FieldDescriptorProto(name=name, number=number)
    field.label = field.LABEL_OPTIONAL if plain == kind else field.LABEL_REPEATED
    field.type = _TYPES.get(plain, field.TYPE_MESSAGE)
    if plain not in _TYPES:
        field.type_name = f".{_PACKAGE}.{plain}"
    return field


def _payload_class() -> Any:
    pool = (
        DescriptorPool()
    )  # of our own: whoever else has a Sparkplug schema has theirs
    pool.Add(_schema())
    return GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))


Payload: Final = _payload_class()
