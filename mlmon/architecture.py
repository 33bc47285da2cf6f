"""Who imports whom, read from the source: ``python -m mlmon.architecture`` draws it into ``course/images``."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
DRAWING = ROOT / "course" / "images" / "architecture.svg"
_WIDE, _HIGH, _ROW, _GAP = 130, 34, 78, 16     # pixels: a box, a row of boxes, between boxes


def modules():
    """The modules of the package and their files.

    Returns
    -------
    dict of str to pathlib.Path
    """
    found = {}
    for path in sorted((ROOT / "mlmon").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def imported(tree, known, package=()):
    """Modules of mlmon that a syntax tree imports, at its top or inside of its functions.

    Parameters
    ----------
    tree : ast.AST
    known : container of str
        Names of modules, so that a name imported from one is not taken for another.
    package : tuple of str
        Where the tree's relative imports start.

    Yields
    ------
    str

    Examples
    --------
    >>> sorted(imported(ast.parse("from mlmon import drift, data"), {"mlmon.drift", "mlmon.data"}))
    ['mlmon.data', 'mlmon.drift']
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "mlmon")
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*start, *([node.module] if node.module else [])])
            if module.split(".")[0] == "mlmon":
                whole = [f"{module}.{alias.name}" for alias in node.names]
                yield from (name if name in known else module for name in whole)


def graph():
    """Each module and those that it imports.

    Returns
    -------
    dict of str to set of str
    """
    files, found = modules(), {}
    for name, path in files.items():
        package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        found[name] = set(imported(ast.parse(path.read_text(encoding="utf-8")), files, tuple(package))) - {name, "mlmon"}
    return found


def packages(modules):
    """The same graph between whole packages, without the small helpers whose names begin with an underscore.

    Parameters
    ----------
    modules : dict of str to set of str

    Returns
    -------
    dict of str to set of str

    Examples
    --------
    >>> packages({"mlmon.a.one": {"mlmon.b.two", "mlmon._check"}, "mlmon.b.two": {"mlmon.b.three"}})
    {'a': {'b'}, 'b': set()}
    """
    found = {}
    for name, needs in modules.items():
        top = name.split(".")[1:2]
        if top and not top[0].startswith("_"):
            tops = {need.split(".")[1] for need in needs}
            found.setdefault(top[0], set()).update(one for one in tops if one != top[0] and not one.startswith("_"))
    return found


def without_detours(graph):
    """A graph without circles less the arrows that lead where a longer way leads, too.

    Examples
    --------
    >>> without_detours({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    {'a': {'b'}, 'b': {'c'}, 'c': set()}
    """
    def beyond(name):
        return graph[name].union(*map(beyond, graph[name]))

    return {name: needs - set().union(*map(beyond, needs)) for name, needs in graph.items()}


def layers(graph):
    """Names by layer, the top one first: each as close below those who import it as may be.

    Examples
    --------
    >>> layers({"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": set()})
    [['a'], ['b', 'd'], ['c']]
    """
    users = {name: [one for one in graph if name in graph[one]] for name in graph}

    def level(name):
        return min(map(level, users[name])) - 1 if users[name] else height(name)

    def height(name):
        return 1 + max(map(height, graph[name]), default=-1)

    rows = []
    for wanted in range(max(map(height, graph)), -1, -1):
        places = {name: place for row in rows for place, name in enumerate(row)}
        mean = {name: sum(map(places.get, users[name])) / len(users[name]) if users[name] else 99 for name in graph if level(name) == wanted}
        rows.append(sorted(mean, key=lambda name: (mean[name], name)))
    return rows


def drawing():
    """The graph of the packages as the text of an SVG picture.

    Returns
    -------
    str
    """
    arrows = without_detours(packages(graph()))
    used = set().union(*arrows.values())
    alone = sorted(name for name in arrows if not arrows[name] and name not in used)
    rows = [*layers({name: needs for name, needs in arrows.items() if name not in alone}), alone]
    width = max(map(len, rows)) * (_WIDE + _GAP) + _GAP
    corners = {
        name: ((width - len(row) * (_WIDE + _GAP) + _GAP) / 2 + place * (_WIDE + _GAP), _GAP + line * _ROW + (_ROW / 3 if row is alone else 0))
        for line, row in enumerate(rows) for place, name in enumerate(row)
    }  # fmt: skip
    height = max(y for _, y in corners.values()) + _HIGH + _GAP
    lines = [_line(corners[name], corners[need]) for name in sorted(arrows) for need in sorted(arrows[name])]
    boxes = [_box(name, *corner) for name, corner in corners.items()]
    note = f'<text x="{_GAP}" y="{corners[alone[0]][1] - 10:g}" font-size="12" fill="#555">these import no other part of mlmon</text>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" font-family="sans-serif">'
    tip = '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#555"/></marker></defs>'
    return "\n".join([head, tip, f'<rect width="{width:g}" height="{height:g}" fill="white"/>', *lines, *boxes, note, "</svg>", ""])


def _line(above, below):
    x, y, to_x, to_y = above[0] + _WIDE / 2, above[1] + _HIGH, below[0] + _WIDE / 2, below[1]
    return f'<line x1="{x:g}" y1="{y:g}" x2="{to_x:g}" y2="{to_y:g}" stroke="#555" marker-end="url(#tip)"/>'


def _box(name, x, y):
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{_WIDE}" height="{_HIGH}" rx="6" fill="#e8f0fa" stroke="#1f77b4"/>'
        f'<text x="{x + _WIDE / 2:g}" y="{y + 22:g}" text-anchor="middle" font-size="15">{name}</text>'
    )


if __name__ == "__main__":
    DRAWING.write_text(drawing(), encoding="utf-8")
    print(DRAWING)
