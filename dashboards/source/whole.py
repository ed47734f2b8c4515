"""What stands around the panels of a dashboard: variables, links, annotations, and where each panel has its place."""
from .panels import DATASOURCE

JOB = 'job=~"$job",instance=~"$instance"'


def variable(name, label, metric, of, everything=".+"):
    """A variable of the values that a label has on a metric, narrowed by the variables before it."""
    query = f"label_values({metric}, {of})"
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name, "qryType": 1},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": everything,
        "current": {"text": ["All"], "value": ["$__all"]},
        "sort": 1,
        "hide": 0,
    }


def link(uid, **variables):
    """Address of another dashboard, with the time in view and variables set: to a column, or a text that begins with $."""
    texts = "".join(
        f"&var-{key}=" + (value if value.startswith("$") else f"${{__data.fields.{value}}}")
        for key, value in variables.items()
    )
    return f"/d/{uid}?${{__url_time_range}}&${{datasource:queryparam}}{texts}"


def dashboard(uid, title, description, source, variables, panels, hours=3):
    """The whole of it: places panels from left to right, numbers them and puts the matchers into every query.

    `source` is a metric that every instance shown here has: its jobs and instances are there to choose from.
    """
    variables = [
        variable("job", "Job", source, "job"),
        variable("instance", "Instance", source + '{job=~"$job"}', "instance"),
        *variables,
    ]
    x = y = height = 0
    for number, made in enumerate(panels, 1):
        size = made["gridPos"]
        if x + size["w"] > 24:
            x, y, height = 0, y + height, 0
        made["id"], made["gridPos"] = number, {"x": x, "y": y, **size}
        x, height = x + size["w"], max(height, size["h"])
        for target in made.get("targets", ()):
            target["expr"] = _fill(target["expr"])
    everything = [
        {
            "name": "datasource",
            "label": "Data source",
            "type": "datasource",
            "query": "prometheus",
            "current": {"text": "default", "value": "default"},
            "hide": 0,
            "refresh": 1,
            "regex": "",
            "includeAll": False,
            "multi": False,
        }
    ]
    for made in variables:
        made["query"]["query"] = _fill(made["query"]["query"])
    return {
        "id": None,
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["uplink"],
        "schemaVersion": 42,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": f"now-{hours}h", "to": "now"},
        "timezone": "browser",
        "fiscalYearStartMonth": 0,
        "liveNow": False,
        "weekStart": "",
        "preload": False,
        "annotations": {
            "list": [
                {
                    "name": "Alerts",
                    "enable": True,
                    "hide": False,
                    "iconColor": "red",
                    "datasource": DATASOURCE,
                    "target": {
                        "refId": "Alerts",
                        "datasource": DATASOURCE,
                        "interval": "30s",
                        "expr": _fill('ALERTS{,alertstate="firing",alertname=~"Uplink.+",severity!="none"}'),
                    },
                    "titleFormat": "{{alertname}}",
                    "textFormat": "{{instance}} {{uplink}}{{tunnel}}",
                    "tagKeys": "severity",
                    "useValueForTime": False,
                }
            ]
        },
        "links": [
            {
                "title": "Uplinks",
                "type": "dashboards",
                "tags": ["uplink"],
                "asDropdown": False,
                "icon": "external link",
                "includeVars": True,
                "keepTime": True,
                "targetBlank": False,
                "tooltip": "",
                "url": "",
            }
        ],
        "templating": {"list": everything + variables},
        "panels": panels,
    }


def _fill(query):
    query = query.replace("{}", "{" + JOB + "}").replace("{,", "{" + JOB + ",")
    return query.replace("[]", "[$__rate_interval]")
