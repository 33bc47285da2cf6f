"""Runbooks: what to do about an alert, written for somebody who has just been woken.

One Markdown file an alert, named after it. It begins with owner, severity and
panel, and has six sections. `lint` holds alerts, runbooks and panels together.
"""
from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "runbooks"
FIELDS = ("Owner", "Severity", "Panel")
SECTIONS = {
    "Meaning": "what the alert says, and what it does not say",
    "Impact": "who is hurt, and how much",
    "Diagnosis": "numbered steps; the first is a command or query that takes under a minute",
    "Mitigation": "what stops the harm now",
    "Rollback": "the command, in a fenced block",
    "Escalation": "whom to call, and when to stop trying",
}
_FENCE = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.M | re.S)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Runbook:
    """One runbook, taken apart.

    Parameters
    ----------
    name : str
        Its title, which is the alert's name.
    owner, severity, panel : str
        "" where missing. Severities are joined by " or ".
    sections : dict of str to str
        Text by heading, in the order of the file.
    text : str
        The whole.
    """

    name: str
    owner: str
    severity: str
    panel: str
    sections: dict
    text: str

    def blocks(self, language, section=None):
        """Fenced blocks of a language, such as "promql" or "sh", of one section or of all.

        Examples
        --------
        >>> read("# A\\n## Rollback\\n```sh\\nmake it so\\n```\\n").blocks("sh")
        ['make it so']
        """
        text = self.text if section is None else self.sections.get(section, "")
        return [body.strip() for found, body in _FENCE.findall(text) if found == language]


def read(source):
    """Take a runbook apart.

    Parameters
    ----------
    source : path or str
        A file, or the text itself.

    Returns
    -------
    Runbook

    Examples
    --------
    >>> book = read("# FeatureDrift\\n\\n- Owner: data engineering\\n\\n## Meaning\\n\\nThe mix has changed.\\n")
    >>> book.name, book.owner, book.sections["Meaning"]
    ('FeatureDrift', 'data engineering', 'The mix has changed.')
    """
    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else str(source)
    bare = _FENCE.sub(lambda block: re.sub(r"^#", "\0", block.group(), flags=re.M), text)     # a comment is no heading
    title = re.search(r"^# +(.+?) *$", bare, re.M)
    head, *parts = re.split(r"^## +", bare, flags=re.M)
    fields = {name: re.search(rf"^- {name}: *(.+?) *$", head, re.M) for name in FIELDS}
    sections = {part.partition("\n")[0].strip(): part.partition("\n")[2].strip().replace("\0", "#") for part in parts}
    owner, severity, panel = (found.group(1) if found else "" for found in fields.values())
    return Runbook(title.group(1) if title else "", owner, severity, panel, sections, text)


def lint(alerts, panels, folder=FOLDER, *, reaches=None):
    """What is wrong between alerts, their runbooks and their panels.

    Every alert has a runbook and a panel, every runbook belongs to an alert, says
    the same owner, severity and panel, and has something to say under each
    heading; every link leads somewhere.

    Parameters
    ----------
    alerts : sequence
        With `name`, `owner`, `severity`, `panel` and `runbook` each; `Alert` has them.
    panels : sequence of str
        Titles of the dashboard's panels.
    folder : path
        Where the runbooks lie.
    reaches : callable, optional
        Takes an address outside of the folder, and says whether it leads somewhere.
        Without it such links count as broken: a runbook must be readable while the
        network is down.

    Returns
    -------
    list of str
        One sentence a fault; empty when all is well.

    Examples
    --------
    >>> from mlmon.serving.alerts import alerts
    >>> from mlmon.serving.dashboard import panels
    >>> lint(alerts(), [panel.title for panel in panels()])
    []
    """
    folder = Path(folder)
    by_name, faults = {}, []
    for alert in alerts:
        by_name.setdefault(alert.name, []).append(alert)
    files = {path.name: path for path in sorted(folder.glob("*.md"))}
    for name, mine in by_name.items():
        if mine[0].runbook not in files:
            faults.append(f"{name} has no runbook. Write {mine[0].runbook}.")
        missing = {alert.panel for alert in mine} - set(panels)
        faults += [f"{name} names the panel {panel!r}, and the dashboard has none of that title." for panel in sorted(missing)]
    owned = {mine[0].runbook: mine for mine in by_name.values()}
    for name, path in files.items():
        book = read(path)
        faults += [f"{name}: {fault}" for fault in [*_form(book), *_links(book, folder, files, reaches)]]
        faults += [f"{name}: {fault}" for fault in _agrees(book, owned.get(name), path.stem)]
    return faults


def _form(book):
    """Faults within one runbook."""
    found = [f"has no section {name}. Say {what}." for name, what in SECTIONS.items() if not book.sections.get(name)]
    odd = [name for name in book.sections if name not in SECTIONS]
    found += [f"has a section {name}, which nobody looks for. Its sections are {', '.join(SECTIONS)}." for name in odd]
    if [name for name in book.sections if name in SECTIONS] != [name for name in SECTIONS if name in book.sections]:
        found.append(f"has its sections in another order than {', '.join(SECTIONS)}.")
    first = re.search(r"^1\. (.*?)(?=^2\. |\Z)", book.sections.get("Diagnosis", ""), re.M | re.S)
    if "Diagnosis" in book.sections and not (first and re.search(r"```(promql|sh)\n|`[^`]+`", first.group(1))):
        found.append("Diagnosis does not begin with a command or query. Let step 1 be one that takes under a minute.")
    if "Rollback" in book.sections and not book.blocks("sh", "Rollback"):
        found.append("Rollback has no command. Put it into a block fenced as sh.")
    return found


def _agrees(book, alerts, stem):
    """Faults between a runbook and its alerts."""
    if alerts is None:
        return ["belongs to no alert. Delete it, or write the alert."]
    said = {"title": (book.name, stem), "Owner": (book.owner, alerts[0].owner), "Panel": (book.panel, alerts[0].panel),
            "Severity": (book.severity, " or ".join(dict.fromkeys(alert.severity for alert in alerts)))}
    return [f"says {field} {came!r}, where the alert says {needed!r}." for field, (came, needed) in said.items() if came != needed]


def _links(book, folder, files, reaches):
    """Links of a runbook that lead nowhere."""
    for target in _LINK.findall(_FENCE.sub("", book.text)):
        if "://" in target:
            if reaches is None or not reaches(target):
                yield f"links to {target}, which cannot be reached."
            continue
        name, _, heading = target.partition("#")
        if name and name not in files and not (folder / name).exists():
            yield f"links to {name}, which is not there."
        elif heading:
            there = book if not name else read(files[name])
            if heading not in {re.sub(r"\W+", "-", section.lower()) for section in there.sections}:
                yield f"links to {target}, and there is no such section."
