"""Panels of one kind each, as Grafana's Classic JSON wants them, with what all dashboards here share.

In queries `{}` stands for the matchers of job and instance that every one carries; more may follow, as in
`uplink_verdict{,a="b"}`. `[]` is the interval to rate over.
"""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
NONE = {"mode": "thresholds"}
BY_NAME = {"mode": "palette-classic"}


def state(metric, label, words, by, more=""):
    """One number for a state set, see words.py: of the states of `label`, the one that is 1. `more` are matchers."""
    more = more and "," + more
    sets = " or ".join(f'{metric}{{,{label}="{word[0]}"{more}}} * {number}' for number, word in enumerate(words, 1))
    return f"max by (job, instance, {by}) ({sets})"


def panel(
    kind,
    title,
    description,
    targets,
    size,
    unit="short",
    options=None,
    defaults=None,
    custom=None,
    overrides=(),
    **more,
):
    """One panel; `targets` is a list of (query, legend) or of queries, `size` its width and height."""
    instant = kind in ("table", "stat")
    made = []
    for index, target in enumerate(targets):
        query, legend = target if isinstance(target, tuple) else (target, "")
        made.append(
            {
                "refId": chr(ord("A") + index),
                "datasource": DATASOURCE,
                "editorMode": "code",
                "expr": query,
                "legendFormat": legend or "__auto",
                "instant": instant,
                "range": not instant,
                "format": {"heatmap": "heatmap", "table": "table"}.get(kind, "time_series"),
            }
        )
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "targets": made,
        "gridPos": {"w": size[0], "h": size[1]},
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "color": NONE,
                "custom": custom or {},
                "mappings": [],
                "thresholds": thresholds(),
                **(defaults or {}),
            },
            "overrides": list(overrides),
        },
        "options": options or {},
        **more,
    }


def thresholds(*steps):
    """(value, colour)... above a green base; without steps there is no colour but the base's."""
    return {
        "mode": "absolute",
        "steps": [{"color": "green", "value": None}] + [{"color": colour, "value": value} for value, colour in steps],
    }


def stat(title, description, query, size, unit="short", legend="", steps=(), **defaults):
    return panel(
        "stat",
        title,
        description,
        [(query, legend)],
        size,
        unit,
        {
            "colorMode": "background",
            "graphMode": "none",
            "justifyMode": "auto",
            "textMode": "auto",
            "orientation": "auto",
            "wideLayout": True,
            "showPercentChange": False,
            "percentChangeColorMode": "standard",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
        {"thresholds": thresholds(*steps), **defaults},
    )


def lines(
    title, description, targets, size, unit, stack=False, bars=False, colours=(), interval=None, gaps=False, **defaults
):
    """Lines over time, or bars, or areas that add up. `colours` is (pattern of a series' name, colour)...

    `gaps` are drawn over; `interval` is the shortest time between two points, and so to rate over.
    """
    custom = {
        "drawStyle": "bars" if bars else "line",
        "lineWidth": 1 if stack or bars else 2,
        "showPoints": "never",
        "fillOpacity": 70 if stack or bars else 0,
        "spanNulls": gaps,
        "lineInterpolation": "linear",
        "stacking": {"mode": "normal" if stack else "none", "group": "A"},
        "axisSoftMin": 0,
    }
    overrides = [
        {
            "matcher": {"id": "byRegexp", "options": pattern},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for pattern, colour in colours
    ]
    return panel(
        "timeseries",
        title,
        description,
        targets,
        size,
        unit,
        {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        {"color": BY_NAME, "min": 0, **defaults},
        custom,
        overrides,
        **({"interval": interval} if interval else {}),
    )


def timeline(title, description, targets, size, mappings, link=None, **more):
    """States over time, a row for each series; `link` is the title and address of what a click on a row leads to."""
    links = {"links": [{"title": link[0], "url": link[1], "targetBlank": False}]} if link else {}
    return panel(
        "state-timeline",
        title,
        description,
        targets,
        size,
        "short",
        {
            "mergeValues": True,
            "showValue": "auto",
            "alignValue": "left",
            "rowHeight": 0.85,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        },
        {"mappings": mappings, **links},
        {"fillOpacity": 85, "lineWidth": 0},
        **more,
    )


def cells(title, description, query, legend, size, **more):
    """A ratio of success in cells, time by series: red is nothing, green everything."""
    return panel(
        "status-history",
        title,
        description,
        [(query, legend)],
        size,
        "percentunit",
        {
            "showValue": "auto",
            "rowHeight": 0.9,
            "colWidth": 0.95,
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
            "tooltip": {"mode": "single", "sort": "none"},
        },
        {"min": 0, "max": 1, "decimals": 0, "color": {"mode": "continuous-RdYlGr"}},
        {"fillOpacity": 80, "lineWidth": 1},
        **more,
    )


def heatmap(title, description, query, size, unit, scheme="Oranges"):
    """A histogram over time; the query counts by `le`."""
    return panel(
        "heatmap",
        title,
        description,
        [(query, "{{le}}")],
        size,
        unit,
        {
            "calculate": False,
            "cellGap": 1,
            "showValue": "never",
            "yAxis": {"axisPlacement": "left", "unit": unit},
            "rowsFrame": {"layout": "auto"},
            "cellValues": {"unit": "short", "decimals": 1},
            "filterValues": {"le": 1e-9},
            "color": {
                "mode": "scheme",
                "scheme": scheme,
                "exponent": 0.5,
                "fill": "dark-orange",
                "reverse": False,
                "steps": 64,
                "scale": "exponential",
            },
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
            "legend": {"show": True},
            "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": False},
        },
    )


def row(title, repeat=None):
    """Begins a new row; with `repeat` it and what follows stand once for each value of that variable."""
    made = {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": 24, "h": 1}}
    return {**made, "repeat": repeat} if repeat else made
