"""What an architecture picture is made of.

Everything that a reader could take as a statement about the code carries what proves it: a component its path, a
function the symbol that does it, a route its method and path. tests/architecture/test_diagram.py holds them to the
repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Colour(StrEnum):
    """What a colour stands for; how it looks is said in infra/diagram/palette.py."""

    EXTERNAL = "external source"
    INGESTION = "ingestion"
    STORAGE = "storage"
    PROCESSING = "processing"
    DATABASE = "database"
    ANALYTICS = "analytics"
    API = "API"
    INTERFACE = "user interface"
    ALERTS = "alerts"


class Shape(StrEnum):
    BOX = "box"
    CYLINDER = "cylinder"
    CLOUD = "cloud"


class Kind(StrEnum):
    """Of a part of a component: what the code calls it, so that it can be looked up there."""

    ROUTE = "route"
    TABLE = "table"
    BUCKET = "bucket"
    PAGE = "page"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Function:
    """One thing that a component does.

    Attributes:
        proof: ``path::symbol``, or ``::symbol`` in the component's own path: what does it. A symbol is a name that the
            Python file defines, with dots for members, or what a script exports.
    """

    text: str
    proof: str


@dataclass(frozen=True, slots=True)
class Part:
    """A sub-box: a route, a table, a page or a channel.

    Attributes:
        name: what the code knows it by: ``GET /health``, ``tick_data``, a page's or a channel's name. Methods of one
            path are joined by commas.
        title, text: what is printed: a line in bold, and one below it.
    """

    kind: Kind
    name: str
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """A box of the picture.

    Attributes:
        path: of its file or folder in the repository; "" for what is not ours.
        aws: the AWS services that it runs on, as the badge says it.
        notes: plain lines below the title.
        logical_ids: the functions of template.yaml that begin here.
        schedule: that those are started by, as template.yaml says it.
        inner: components that are drawn inside it.
    """

    id: str
    title: str
    colour: Colour
    path: str = ""
    aws: str = ""
    shape: Shape = Shape.BOX
    icon: str = ""
    notes: tuple[str, ...] = ()
    functions: tuple[Function, ...] = ()
    parts: tuple[Part, ...] = ()
    inner: tuple[Component, ...] = ()
    logical_ids: tuple[str, ...] = ()
    schedule: str = ""


@dataclass(frozen=True, slots=True)
class Layer:
    id: str
    title: str
    colour: Colour
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one component to another.

    Attributes:
        both: it has two heads.
        background: asynchronous or scheduled; drawn dotted.
    """

    source: str
    target: str
    label: str = ""
    both: bool = False
    background: bool = False

    @property
    def id(self) -> str:
        return f"{self.source}--{self.target}"


@dataclass(frozen=True, slots=True)
class Remark:
    """A line of an info box: what it says in bold, and what belongs to it."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class InfoBox:
    id: str
    title: str
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Architecture:
    title: str
    layers: tuple[Layer, ...]
    arrows: tuple[Arrow, ...]
    boxes: tuple[InfoBox, ...]

    def components(self) -> tuple[Component, ...]:
        """All of them, the inner ones behind the one that they are drawn in."""
        found: list[Component] = []
        waiting = [one for layer in reversed(self.layers) for one in reversed(layer.components)]
        while waiting:
            one = waiting.pop()
            found.append(one)
            waiting.extend(reversed(one.inner))
        return tuple(found)

    def parts(self, kind: Kind) -> tuple[Part, ...]:
        return tuple(part for one in self.components() for part in one.parts if part.kind is kind)
