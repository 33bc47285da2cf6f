"""Checks of a scrape, the text that a service shows to Prometheus.

As in `mlmon.grading.checks`, each returns in silence or raises AssertionError with one message: the call, what
it should give, what it gives, and the likely slip.
"""
from dataclasses import dataclass, field

from mlmon.grading import checks
from mlmon.serving import dryrun

MOST_TEXT = 200_000      # characters


@dataclass(frozen=True)
class Scrape:
    """A scrape, taken apart: samples as (name, labels, value), and families as name to (type, help)."""

    call: str
    text: str
    samples: tuple = ()
    families: dict = field(default_factory=dict)

    def found(self, name, labels):
        """Values of the samples of that name which have these labels, and perhaps others."""
        return [value for known, have, value in self.samples if known == name and labels.items() <= have.items()]

    def labels(self, name):
        """Names of the labels that the samples of a metric have, the edge of a bucket aside."""
        known = (name, f"{name}_bucket", f"{name}_sum", f"{name}_count")
        return {label for sample, labels, _ in self.samples if sample in known for label in labels} - {"le"}


def scrape(text, call):
    """Read what a service shows at ``/metrics``.

    Examples
    --------
    >>> scrape("# TYPE hits counter\\nhits_total 3\\n", "text()").samples
    (('hits_total', {}, 3.0),)
    >>> scrape("hits total 3", "text()")
    Traceback (most recent call last):
    ...
    AssertionError: text() should be text that Prometheus can read, it is not: could not convert string to float: 'total'. One sample a line: name{label="value"} number.
    """
    from prometheus_client.parser import text_string_to_metric_families

    text = text_of(text, call)
    samples, families = [], {}
    try:
        for family in text_string_to_metric_families(text):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            families[name] = (family.type, family.documentation)
            samples += [(one.name, one.labels, float(one.value)) for one in family.samples if not one.name.endswith("_created")]
    except Exception as error:
        raise AssertionError(f"{call} should be text that Prometheus can read, it is not: {error}. "
                             'One sample a line: name{label="value"} number.') from None
    return Scrape(call, text, tuple(samples), families)


def series(found, name, want, slip="", *, within=1e-6, **labels):
    """A series of a scrape stands at a number; several that have these labels are added up. None: there is no such series.

    Examples
    --------
    >>> found = scrape("# TYPE hits counter\\nhits_total{page=\\"a\\"} 3\\n", "text()")
    >>> series(found, "hits_total", 3, page="a")
    >>> series(found, "hits_total", 4, "Is a failed one counted?", page="a")
    Traceback (most recent call last):
    ...
    AssertionError: hits_total{page="a"} of text() should be 4, yours gives 3.0. Is a failed one counted?
    """
    series = written(name, labels)
    values = found.found(name, labels)
    if want is None or not values:
        if bool(values) == (want is None):
            known = [written(name, labels) for one, labels, _ in found.samples if one == name]
            has = f"has {', '.join(known[:4])}{' and more' * (len(known) > 4)}" if known else "has none of that name"
            raise AssertionError(f"{found.call} should have {'no' if want is None else 'the'} series {series}, yours {has}. {slip}".rstrip())
        return
    checks.number(sum(values), want, f"{series} of {found.call}", slip, within=within)


def family(found, name, kind, labels, slip=""):
    """A metric of a scrape has its type, its labels and a help text.

    Examples
    --------
    >>> found = scrape("# HELP up Whether it answers.\\n# TYPE up gauge\\nup{job=\\"a\\"} 1\\n", "text()")
    >>> family(found, "up", "gauge", ["job"])
    >>> family(found, "up", "counter", ["job"])
    Traceback (most recent call last):
    ...
    AssertionError: the type of up in text() should be 'counter', yours gives 'gauge'.
    """
    checks._hold(name in found.families, found.call, f"have the metric {name}", sorted(found.families), slip)
    type, help = found.families[name]
    checks.equal(type, kind, f"the type of {name} in {found.call}", slip)
    checks.same_names(found.labels(name), labels, f"the labels of {name} in {found.call}", slip)
    checks._hold(bool(help.strip()), found.call, f"say what {name} is, in a line # HELP", help, slip)


def conforms(found):
    """promtool has nothing against names, types and texts of a scrape.

    Examples
    --------
    >>> conforms(scrape("# HELP wait_seconds Time in the queue.\\n# TYPE wait_seconds gauge\\nwait_seconds 1\\n", "text()"))
    """
    told = dryrun.check_metrics(found.text)
    if told:
        raise AssertionError(f"{found.call} should pass `promtool check metrics`, which says: {'; '.join(told[:3])}.")


def text_of(value, call):
    """A student's text.

    Examples
    --------
    >>> text_of("up 1", "text()")
    'up 1'
    """
    if not isinstance(value, str):
        slip = "Did you forget to return it?" if value is None else "Return one text."
        raise AssertionError(f"{call} should be text, yours is {checks._show(value)}. {slip}")
    checks._hold(len(value) <= MOST_TEXT, call, f"have at most {MOST_TEXT:,} characters", len(value), "")
    return value


def written(name, labels):
    """A series as PromQL writes it.

    Examples
    --------
    >>> written("up", {"job": "a"})
    'up{job="a"}'
    """
    inner = ", ".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{inner}}}" if inner else name
