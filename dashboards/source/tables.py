"""Tables: newest values in rows and columns."""
from .panels import panel, thresholds


def table(title, description, queries, columns, size, labels=(), sort=None, hidden=()):
    """Newest values, a row for each set of labels.

    `labels` names the columns that are labels, as (label, title, width, link or None); `columns` those that are values,
    in the order of `queries`, as (title, unit, {mappings, thresholds, width, colour, wrap}).
    """
    rename, order, overrides = {}, {}, []
    for index, (label, name, width, link) in enumerate(labels):
        rename[label], order[label] = name, index
        links = [{"title": link[0], "url": link[1], "targetBlank": False}] if link else []
        overrides.append(_override(name, **{"custom.width": width}, **({"links": links} if links else {})))
    for index, (name, unit, how) in enumerate(columns):
        value = f"Value #{chr(ord('A') + index)}" if len(queries) > 1 else "Value"
        rename[value], order[value] = name, len(labels) + index
        properties = {"unit": unit, "mappings": how.get("mappings", [])}
        if "steps" in how:
            properties["thresholds"] = thresholds(*how["steps"])
        if "width" in how:
            properties["custom.width"] = how["width"]
        if "decimals" in how:
            properties["decimals"] = how["decimals"]
        if how.get("colour"):
            properties["custom.cellOptions"] = {"type": "color-background", "mode": "basic"}
        if how.get("wrap"):
            properties["custom.wrapText"] = True
        overrides.append(_override(name, **properties))
    hidden = {name: True for name in ("Time", "job", "__name__", *hidden) if name not in rename}
    transformations = [{"id": "merge", "options": {}}] if len(queries) > 1 else []
    transformations.append(
        {"id": "organize", "options": {"excludeByName": hidden, "indexByName": order, "renameByName": rename}}
    )
    return _table(title, description, queries, size, overrides, transformations, sort)


def matrix(title, description, query, row, column, words, size):
    """Newest values, a row for each value of one label and a column in its colour for each state of another."""
    nothing = {"type": "value", "options": {"0": {"text": "-", "color": "transparent", "index": 0}}}
    overrides = [
        _override(
            word[0],
            mappings=[nothing],
            color={"mode": "fixed", "fixedColor": word[4]},
            **{"custom.cellOptions": {"type": "color-background", "mode": "basic"}},
        )
        for word in words
    ]
    return _table(
        title,
        description,
        [query],
        size,
        overrides,
        [
            {
                "id": "groupingToMatrix",
                "options": {"rowField": row, "columnField": column, "valueField": "Value", "emptyValue": "zero"},
            }
        ],
        None,
    )


def _table(title, description, queries, size, overrides, transformations, sort):
    return panel(
        "table",
        title,
        description,
        queries,
        size,
        "short",
        {"showHeader": True, "cellHeight": "sm", "frameIndex": 0, "sortBy": [sort] if sort else []},
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": False},
        overrides=overrides,
        transformations=transformations,
    )


def _override(name, **properties):
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key, "value": value} for key, value in properties.items()],
    }
