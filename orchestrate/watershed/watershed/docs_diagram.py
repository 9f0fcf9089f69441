"""A diagram of models and their foreign keys, as SVG that needs no other file."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WIDTH, LINE, GAP, COLUMN_GAP = 250, 20, 24, 130
"""Of a box, a line in it, the space below it, and the space between two columns, in pixels."""
STYLE = """
<style>
rect { fill: #fff; stroke: #7a9cbf; }
rect.head { fill: #d9e6f2; }
text { font: 13px system-ui, sans-serif; fill: #222; }
text.key { font-weight: 600; }
path { fill: none; stroke: #7a9cbf; }
path:hover { stroke: #c2410c; stroke-width: 3; }
</style>
"""


@dataclass(frozen=True)
class Relation:
    """A model in the diagram.

    Attributes:
        name: Its name.
        link: Where a click on it leads.
        keys: Columns that are unique.
        references: Foreign keys: a column, and the model that it refers to.
    """

    name: str
    link: str
    keys: tuple[str, ...]
    references: Mapping[str, str]

    @property
    def lines(self) -> tuple[str, ...]:
        """The columns that are shown."""
        return tuple(dict.fromkeys((*self.keys, *self.references)))

    @property
    def height(self) -> int:
        """Of its box, in pixels."""
        return LINE * (1 + len(self.lines)) + LINE // 4


def draw(relations: Sequence[Relation]) -> str:
    """Draw each model left of all that it refers to."""
    corners = dict(_places(relations))
    width = max((x for x, _ in corners.values()), default=0) + WIDTH + 2
    height = max((corners[r.name][1] + r.height for r in relations), default=0) + 2
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">', STYLE]
    parts += [line for relation in relations for line in _edges(relation, corners)]
    parts += [_box(relation, *corners[relation.name]) for relation in relations]
    return "\n".join((*parts, "</svg>"))


def _places(relations: Sequence[Relation]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the upper left corner of each box."""
    by_name = {relation.name: relation for relation in relations}

    def depth(name: str, above: tuple[str, ...] = ()) -> int:
        """Count the steps to a model that refers to none; a circle is cut."""
        further = [t for t in by_name[name].references.values() if t not in (*above, name)]
        return max((1 + depth(target, (*above, name)) for target in further), default=0)

    depths = {name: depth(name) for name in by_name}
    deepest = max(depths.values(), default=0)
    for level in range(deepest + 1):
        y = 1
        for relation in relations:
            if depths[relation.name] == level:
                yield relation.name, (1 + (deepest - level) * (WIDTH + COLUMN_GAP), y)
                y += relation.height + GAP


def _edges(relation: Relation, corners: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    x, y = corners[relation.name]
    for column, target in relation.references.items():
        start_x, start_y = x + WIDTH, y + LINE * (1 + relation.lines.index(column)) + LINE // 2
        end_x, end_y = corners[target][0], corners[target][1] + LINE // 2
        middle = (start_x + end_x) // 2
        title = f"{relation.name}.{column} → {target}"
        yield (
            f'<path d="M{start_x} {start_y} C{middle} {start_y} {middle} {end_y} {end_x} {end_y}">'
            f"<title>{escape(title)}</title></path>"
        )


def _box(relation: Relation, x: int, y: int) -> str:
    parts = [
        f'<g><rect x="{x}" y="{y}" width="{WIDTH}" height="{relation.height}"/>',
        f'<rect class="head" x="{x}" y="{y}" width="{WIDTH}" height="{LINE}"/>',
        f'<a href="{escape(relation.link)}">',
        f'<text class="key" x="{x + 8}" y="{y + 15}">{escape(relation.name)}</text>',
        "</a>",
    ]
    for number, column in enumerate(relation.lines, start=1):
        style = ' class="key"' if column in relation.keys else ""
        parts.append(
            f'<text{style} x="{x + 8}" y="{y + LINE * number + 15}">{escape(column)}</text>'
        )
    return "\n".join((*parts, "</g>"))
