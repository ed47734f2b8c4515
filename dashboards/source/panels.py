"""Panels and what stands around them, as Grafana's Classic JSON wants it, with what all dashboards here share.

In queries `{}` stands for the matchers of job and instance that every one carries; more may follow: `uplink_verdict{,a="b"}`.
`[]` is the interval to rate over.
"""
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
NONE = {"mode": "thresholds"}
BY_NAME = {"mode": "palette-classic"}


def state(metric, label, words, by, more=""):
    """One number for a state set, see words.py: of the states of `label`, the one that is 1. `more` are matchers."""
    more = more and "," + more
    sets = " or ".join(f'{metric}{{,{label}="{word[0]}"{more}}} * {number}' for number, word in enumerate(words, 1))
    return f"max by (job, instance, {by}) ({sets})"


def panel(kind, title, description, targets, size, unit="short", options=None, defaults=None, custom=None, overrides=(), **more):
    """One panel; `targets` is a list of (query, legend) or of queries, `size` its width and height."""
    instant = kind == "table"
    made = []
    for index, target in enumerate(targets):
        query, legend = target if isinstance(target, tuple) else (target, "")
        made.append({"refId": chr(ord("A") + index), "datasource": DATASOURCE, "editorMode": "code", "expr": query,
                     "legendFormat": legend or "__auto", "instant": instant, "range": not instant,
                     "format": "heatmap" if kind == "heatmap" else "table" if instant else "time_series"})
    return {"type": kind, "title": title, "description": description, "datasource": DATASOURCE, "targets": made,
            "gridPos": {"w": size[0], "h": size[1]},
            "fieldConfig": {"defaults": {"unit": unit, "color": NONE, "custom": custom or {}, "mappings": [],
                                         "thresholds": thresholds(), **(defaults or {})},
                            "overrides": list(overrides)},
            "options": options or {}, **more}


def thresholds(*steps):
    """(value, colour)... above a green base; without steps there is no colour but the base's."""
    return {"mode": "absolute", "steps": [{"color": "green", "value": None}] +
            [{"color": colour, "value": value} for value, colour in steps]}


def stat(title, description, query, size, unit="short", legend="", steps=(), **defaults):
    return panel("stat", title, description, [(query, legend)], size, unit, {
        "colorMode": "background", "graphMode": "none", "justifyMode": "auto", "textMode": "auto", "orientation": "auto",
        "wideLayout": True, "showPercentChange": False, "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}},
        {"thresholds": thresholds(*steps), **defaults})


def lines(title, description, targets, size, unit, stack=False, bars=False, colours=(), legend="list", **defaults):
    """Lines over time, or bars, or areas that add up. `colours` is (pattern of a series' name, colour)..."""
    custom = {"drawStyle": "bars" if bars else "line", "lineWidth": 1 if stack or bars else 2, "showPoints": "never",
              "fillOpacity": 70 if stack or bars else 0, "spanNulls": False, "lineInterpolation": "linear",
              "stacking": {"mode": "normal" if stack else "none", "group": "A"}, "axisSoftMin": 0}
    overrides = [{"matcher": {"id": "byRegexp", "options": pattern},
                  "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}]} for pattern, colour in colours]
    return panel("timeseries", title, description, targets, size, unit, {
        "legend": {"displayMode": legend, "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"}}, {"color": BY_NAME, "min": 0, **defaults}, custom, overrides)


def timeline(title, description, targets, size, mappings, **more):
    """States over time, a row for each series."""
    return panel("state-timeline", title, description, targets, size, "short", {
        "mergeValues": True, "showValue": "auto", "alignValue": "left", "rowHeight": 0.85,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"}}, {"mappings": mappings}, {"fillOpacity": 85, "lineWidth": 0}, **more)


def cells(title, description, query, legend, size, **more):
    """A ratio of success in cells, time by series: red is nothing, green everything."""
    return panel("status-history", title, description, [(query, legend)], size, "percentunit", {
        "showValue": "auto", "rowHeight": 0.9, "colWidth": 0.95,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"}},
        {"min": 0, "max": 1, "decimals": 0, "color": {"mode": "continuous-RdYlGr"}}, {"fillOpacity": 80, "lineWidth": 1}, **more)


def heatmap(title, description, query, size, unit, scheme="Oranges"):
    """A histogram over time; the query counts by `le`."""
    return panel("heatmap", title, description, [(query, "{{le}}")], size, unit, {
        "calculate": False, "cellGap": 1, "showValue": "never", "yAxis": {"axisPlacement": "left", "unit": unit},
        "rowsFrame": {"layout": "auto"}, "cellValues": {"unit": "short", "decimals": 1}, "filterValues": {"le": 1e-9},
        "color": {"mode": "scheme", "scheme": scheme, "exponent": 0.5, "fill": "dark-orange", "reverse": False,
                  "steps": 64, "scale": "exponential"},
        "exemplars": {"color": "rgba(255,0,255,0.7)"}, "legend": {"show": True},
        "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": False}})


def table(title, description, queries, columns, size, labels=(), sort=None, matrix=None):
    """Newest values, a row for each set of labels.

    `labels` names the columns that are labels, as (label, title, link or None); `columns` those that are values, in the order
    of `queries`, as (title, unit, {mappings, thresholds, width, colour, wrap}).
    """
    rename, order, overrides = {}, {}, []
    for index, (label, name, link) in enumerate(labels):
        rename[label], order[label] = name, index
        if link:
            overrides.append(_override(name, links=[{"title": link[0], "url": link[1], "targetBlank": False}]))
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
    hidden = {name: True for name in ("Time", "job", "__name__") if name not in rename}
    transformations = [{"id": "merge", "options": {}}] if len(queries) > 1 else []
    transformations.append({"id": "organize", "options": {"excludeByName": hidden, "indexByName": order, "renameByName": rename}})
    if matrix:
        transformations = [{"id": "groupingToMatrix", "options": matrix}]
    return panel("table", title, description, queries, size, "short", {
        "showHeader": True, "cellHeight": "sm", "frameIndex": 0, "sortBy": [sort] if sort else []},
        custom={"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "filterable": False},
        overrides=overrides, transformations=transformations)


def _override(name, **properties):
    return {"matcher": {"id": "byName", "options": name},
            "properties": [{"id": key, "value": value} for key, value in properties.items()]}


def row(title, repeat=None):
    """Begins a new row; with `repeat` it and what follows stand once for each value of that variable."""
    made = {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": 24, "h": 1}}
    return {**made, "repeat": repeat} if repeat else made


def variable(name, label, metric, of, everything=".+"):
    """A variable of the values that a label has on a metric, narrowed by the variables before it."""
    query = f"label_values({metric}, {of})"
    return {"name": name, "label": label, "type": "query", "datasource": DATASOURCE,
            "query": {"query": query, "refId": name, "qryType": 1}, "refresh": 2, "multi": True, "includeAll": True,
            "allValue": everything, "current": {"text": ["All"], "value": ["$__all"]}, "sort": 1, "hide": 0}


def link(uid, **variables):
    """Address of another dashboard, with the time in view and variables set: a label's name, or a text that begins with $."""
    texts = "".join(f"&var-{key}=" + (value if value.startswith("$") else f"${{__data.fields.{value}}}")
                    for key, value in variables.items())
    return f"/d/{uid}?${{__url_time_range}}&${{datasource:queryparam}}{texts}"


def dashboard(uid, title, description, source, variables, panels, hours=3):
    """The whole of it: places panels from left to right, numbers them and puts the matchers into every query.

    `source` is a metric that every instance shown here has: its jobs and instances are there to choose from.
    """
    variables = [variable("job", "Job", source, "job"), variable("instance", "Instance", source + '{job=~"$job"}', "instance"),
                 *variables]
    x = y = height = 0
    for number, made in enumerate(panels, 1):
        size = made["gridPos"]
        if x + size["w"] > 24:
            x, y, height = 0, y + height, 0
        made["id"], made["gridPos"] = number, {"x": x, "y": y, **size}
        x, height = x + size["w"], max(height, size["h"])
        for target in made.get("targets", ()):
            target["expr"] = _fill(target["expr"])
    everything = [{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {"text": "default", "value": "default"},
                   "hide": 0, "refresh": 1, "regex": "", "includeAll": False, "multi": False}]
    for made in variables:
        made["query"]["query"] = _fill(made["query"]["query"])
    return {
        "id": None, "uid": uid, "title": title, "description": description, "tags": ["uplink"], "schemaVersion": 42,
        "version": 1, "editable": False, "graphTooltip": 1, "refresh": "30s", "time": {"from": f"now-{hours}h", "to": "now"},
        "timezone": "browser", "fiscalYearStartMonth": 0, "liveNow": False, "weekStart": "", "preload": False,
        "annotations": {"list": [{
            "name": "Alerts", "enable": True, "hide": False, "iconColor": "red", "datasource": DATASOURCE,
            "target": {"refId": "Alerts", "datasource": DATASOURCE, "interval": "30s",
                       "expr": _fill('ALERTS{,alertstate="firing",alertname=~"Uplink.+",alertname!="UplinkWatchdog"}')},
            "titleFormat": "{{alertname}}", "textFormat": "{{instance}} {{uplink}}{{tunnel}}", "tagKeys": "severity",
            "useValueForTime": False}]},
        "links": [{"title": "Uplinks", "type": "dashboards", "tags": ["uplink"], "asDropdown": False, "icon": "external link",
                   "includeVars": True, "keepTime": True, "targetBlank": False, "tooltip": "", "url": ""}],
        "templating": {"list": everything + variables},
        "panels": panels}


JOB = 'job=~"$job",instance=~"$instance"'


def _fill(query):
    query = query.replace("{}", "{" + JOB + "}").replace("{,", "{" + JOB + ",")
    return query.replace("[]", "[$__rate_interval]")
