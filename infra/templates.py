"""CloudFormation templates as the checks read them: parsed, with references made readable."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Resource:
    """One resource.

    Attributes:
        path: Of its construct, for example ``DataStorageStack/Warehouse/Cluster``.
        properties: As in the template; mutations change them in place.
    """

    stack: str
    logical_id: str
    type: str
    path: str
    properties: dict[str, Any]


class Templates:
    """The templates of one environment, by stack."""

    def __init__(self, templates: Mapping[str, dict[str, Any]]) -> None:
        self.by_stack = dict(templates)

    @classmethod
    def read(cls, folder: Path) -> Templates:
        """Read what a synthesis wrote."""
        return cls(
            {
                path.name.partition(".")[0]: json.loads(path.read_text())
                for path in sorted(folder.glob("*.template.json"))
            }
        )

    def all(self, *types: str) -> list[Resource]:
        """List the resources of some types, for example ``AWS::S3::Bucket``; none: all."""
        return [resource for resource in self._resources() if not types or resource.type in types]

    def one(self, type_: str, path: str = "") -> Resource:
        """Return the only resource of a type whose path contains a text.

        Raises:
            LookupError: there is none, or more than one.
        """
        found = [resource for resource in self.all(type_) if path in resource.path]
        if len(found) != 1:
            raise LookupError(f"{len(found)} resources of type {type_} at {path!r}, not one")
        return found[0]

    def _resources(self) -> Iterator[Resource]:
        for stack, template in self.by_stack.items():
            for logical_id, raw in template["Resources"].items():
                path = raw.get("Metadata", {}).get("aws:cdk:path", logical_id)
                yield Resource(
                    stack, logical_id, raw["Type"], path, raw.setdefault("Properties", {})
                )


def text(value: object) -> str:
    """Write a value as text; a reference becomes ``<logical id>`` or ``<logical id.attribute>``."""
    if not isinstance(value, dict):
        return str(value)
    if "Fn::Join" in value:
        separator, parts = value["Fn::Join"]
        return str(separator).join(text(part) for part in parts)
    if "Ref" in value:
        return f"<{value['Ref']}>"
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if "Fn::ImportValue" in value:
        return f"<{text(value['Fn::ImportValue'])}>"
    return json.dumps(value)


def as_list(value: object) -> list[Any]:
    """Return a policy's value, which may be one or a list of them, as a list."""
    return value if isinstance(value, list) else [] if value is None else [value]


def states(machine: Resource) -> dict[str, dict[str, Any]]:
    """Return all states of a state machine by their names, those within branches too."""

    def walk(found: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, state in found.items():
            yield name, state
            for branch in state.get("Branches", ()):
                yield from walk(branch["States"])

    return dict(walk(definition(machine)["States"]))


def definition(machine: Resource) -> dict[str, Any]:
    """Return what a state machine does."""
    parsed: dict[str, Any] = json.loads(text(machine.properties["DefinitionString"]))
    return parsed


def task_states(templates: Templates) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every task of every workflow with its name."""
    for machine in templates.all("AWS::StepFunctions::StateMachine"):
        for name, state in states(machine).items():
            if state["Type"] == "Task":
                yield name, state
