"""The compose file for Docker: the same stack as `mlmon stack`, and Grafana.

The repository's compose.yaml is what ``python -m mlmon.serving.compose`` prints.
"""
from __future__ import annotations

import sys

from mlmon.serving.export import to_yaml

HEAD = """\
# The monitoring stack with Grafana: `docker compose up --build`, then http://localhost:3000/d/mlmon
# Messages for Slack and PagerDuty: http://localhost:9095/received. A fault: docker compose exec scoring python -c
#   "from urllib.request import *; urlopen(Request('http://127.0.0.1:8000/admin/faults', b'{\\"latency\\": 0.4}', method='PUT'))"
# Made by `python -m mlmon.serving.compose`; a test holds the two equal.
"""
IMAGE = """\
FROM python:3.11-slim
WORKDIR /mlmon
COPY pyproject.toml README.md LICENSE ./
COPY mlmon mlmon
RUN pip install --no-cache-dir ".[course,serving]" && mkdir /data
"""
READ = ["config:/config:ro"]


def compose():
    """The compose file as plain data.

    Returns
    -------
    dict

    Examples
    --------
    >>> sorted(compose()["services"])
    ['alertmanager', 'config', 'grafana', 'inbox', 'prometheus', 'scoring', 'traffic']
    """
    services = {
        "config": {
            **_ours("export", "/config", "--inbox", "http://inbox:9095", "--reached", "http://localhost:9095", "--grafana", "/config/grafana"),
            "build": {"context": ".", "dockerfile_inline": IMAGE},
            "volumes": ["config:/config"],
        },
        "inbox": _after(_ours("inbox", "--host", "0.0.0.0", "--port", "9095", "--file", "/data/inbox.jsonl"), port=9095),
        "scoring": _after(_ours("service", "--host", "0.0.0.0", "--port", "8000", "--log", "/data/predictions.sqlite",
                                "--window", "1000", "--cohort", "60"), port=8000),
        "traffic": _after(_ours("traffic", "--url", "http://scoring:8000", "--rate", "40", "--seconds", "0")),
        "alertmanager": _after({
            "image": "prom/alertmanager:v0.27.0",
            "command": ["--config.file=/config/alertmanager/alertmanager.yml", "--storage.path=/alertmanager", "--cluster.listen-address="],
            "volumes": READ,
        }, port=9093),
        "prometheus": _after({
            "image": "prom/prometheus:v2.53.4",
            "command": ["--config.file=/config/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus", "--rules.alert.resend-delay=1s"],
            "volumes": READ,
        }, port=9090),
        "grafana": _after({
            "image": "grafana/grafana:11.6.0",
            "environment": {"GF_PATHS_PROVISIONING": "/config/grafana", "GF_AUTH_ANONYMOUS_ENABLED": "true",
                            "GF_ANALYTICS_REPORTING_ENABLED": "false", "GF_ANALYTICS_CHECK_FOR_UPDATES": "false"},
            "volumes": READ,
        }, port=3000),
    }
    return {"name": "mlmon", "services": services, "volumes": {"config": {}}}


def _ours(module, *arguments):
    """A service that runs a module of this package."""
    return {"image": "mlmon", "command": ["python", "-m", f"mlmon.serving.{module}", *arguments]}


def _after(service, *, port=None):
    """A service that waits for its configuration, and is reached from this machine only."""
    ports = {} if port is None else {"ports": [f"127.0.0.1:{port}:{port}"]}
    return {**service, "depends_on": {"config": {"condition": "service_completed_successfully"}}, **ports}


def main():
    """Print compose.yaml."""
    print(HEAD + to_yaml(compose()), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
