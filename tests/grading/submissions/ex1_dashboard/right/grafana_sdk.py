"""Builds the dashboard with Grafana's own library, each panel as wide as the page."""
answers = {
    "2_dashboard": {
        "dashboard": '''
import json

from grafana_foundation_sdk.builders import prometheus, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, Row, ThresholdsConfig
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, GridPos, Threshold, ThresholdsMode

def dashboard(title, panels):
    order = ["business", "model", "prediction", "data", "system"]
    board, y, source = Dashboard(title), 0, DataSourceRef(type_val="prometheus", uid="prometheus")
    for layer in order:
        mine = [one for one in panels if one["layer"] == layer]
        if not mine:
            continue
        board = board.with_row(Row(layer).grid_pos(GridPos(h=1, w=24, x=0, y=y)))
        y += 1
        for one in mine:
            query = prometheus.Dataquery().ref_id("A").expr(one["expr"]).legend_format("{{version}}").range()
            panel = timeseries.Panel().title(one["title"]).unit(one["unit"]).datasource(source)
            panel = panel.with_target(query).grid_pos(GridPos(h=6, w=24, x=0, y=y))
            if "limit" in one:
                steps = [Threshold(color="green", value=None), Threshold(color="red", value=one["limit"])]
                panel = panel.thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
            board = board.with_panel(panel)
            y += 6
    made = json.loads(JSONEncoder().encode(board.build()))
    made.setdefault("panels", [])
    y = 0
    for number, panel in enumerate(made["panels"], 100):
        panel["id"] = number
        panel["gridPos"].update(x=0, y=y)
        y += panel["gridPos"]["h"]
    return made
''',
    },
}
