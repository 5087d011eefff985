"""Messages of a published Protocol Buffers format, described here by the fields we use: no compiled schema is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

KIND = descriptor_pb2.FieldDescriptorProto
#: (number, name, type or message, is repeated); what is not described is passed over.
Field = tuple[int, str, int | str, bool]


def message_classes(package: str, messages: Mapping[str, Sequence[Field]]) -> dict[str, Any]:
    """The class of every message of a proto2 package."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto2")
    for message, fields in messages.items():
        described = file.message_type.add(name=message)
        for number, name, kind, is_repeated in fields:
            field = described.field.add(name=name, number=number,
                                        label=KIND.LABEL_REPEATED if is_repeated else KIND.LABEL_OPTIONAL)
            if isinstance(kind, str):
                field.type, field.type_name = KIND.TYPE_MESSAGE, f".{package}.{kind}"
            else:
                field.type = kind  # type: ignore[assignment]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages}
