"""Which alert reaches whom, what comes bundled, and what need not be said twice: plain data.

Labels of an alert are compared with regular expressions, as Alertmanager does, from end to end.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

from mlmon.serving.slo import HOUR, MINUTE


@dataclass(frozen=True)
class Route:
    """Alerts with these labels go to this receiver, and on to the next route if `more`."""

    receiver: str
    labels: tuple[tuple[str, str], ...]
    more: bool = False


@dataclass(frozen=True)
class Inhibition:
    """While an alert with the labels `source` fires, those with the labels `target` are silent.

    Only where both agree on all labels of `equal`. Values are regular expressions.
    """

    source: tuple[tuple[str, str], ...]
    target: tuple[tuple[str, str], ...]
    equal: tuple[str, ...] = ()


@dataclass(frozen=True)
class Routing:
    """Who gets which alerts, how they are bundled, and what need not be said twice.

    Parameters
    ----------
    group_by : tuple of str
        Alerts that agree on these labels come as one message.
    wait, interval, repeat : float
        Seconds of the rules until the first message of a bundle, until the next one
        about new alerts in it, and until an old one is said again.
    routes : tuple of Route
    inhibitions : tuple of Inhibition

    Examples
    --------
    >>> [route.receiver for route in Routing().routes]
    ['heartbeat', 'pagerduty', 'slack', 'webhook']
    """

    group_by: tuple[str, ...] = ("severity", "model")
    wait: float = 30.0
    interval: float = 5 * MINUTE
    repeat: float = 4 * HOUR
    routes: tuple[Route, ...] = (
        Route("heartbeat", (("severity", "none"),)),
        Route("pagerduty", (("severity", "page"),), more=True),
        Route("slack", (("severity", "page|ticket"),), more=True),
        Route("webhook", (("severity", "page|ticket"),)),
    )
    inhibitions: tuple[Inhibition, ...] = (
        # A page says all that the ticket of the same promise would say.
        Inhibition((("severity", "page"),), (("severity", "ticket"),), ("alertname", "model")),
        # A feature that does not arrive drifts, and so do the scores: tell the cause.
        Inhibition((("alertname", "FeatureMissing"),), (("alertname", "FeatureDrift|PredictionDrift"),), ("model", "version")),
    )

    def receivers(self, labels):
        """Names of the receivers that an alert with these labels reaches.

        Examples
        --------
        >>> Routing().receivers({"severity": "page"})
        ['pagerduty', 'slack', 'webhook']
        """
        found = []
        for route in self.routes:
            if _matches(route.labels, labels):
                found.append(route.receiver)
                if not route.more:
                    return found
        return found or [self.routes[-1].receiver]


def _matches(wanted, labels):
    return all(re.fullmatch(pattern, labels.get(name, "")) for name, pattern in wanted)
