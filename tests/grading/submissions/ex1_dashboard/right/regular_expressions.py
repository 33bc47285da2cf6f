"""Takes runbooks apart with regular expressions, and compares sets."""
answers = {
    "4_runbook": {
        "read_runbook": '''
def read_runbook(text):
    safe = re.sub(r"^ *```.*?^ *```", lambda block: block[0].replace("#", "\\0"), text, flags=re.M | re.S)
    head, *parts = re.split(r"^## ", safe, flags=re.M)
    def first(pattern):
        found = re.search(pattern, head, re.M)
        return found[1].strip() if found else ""
    sections = {}
    for part in parts:
        name, _, body = part.partition("\\n")
        sections[name.strip()] = body.replace("\\0", "#").strip()
    fields = {field.lower(): first(rf"^- {field}:(.*)$") for field in ("Owner", "Severity", "Panel")}
    return {"title": first(r"^# (.*)$"), "sections": sections} | fields
''',
        "link_faults": '''
def link_faults(alerts, books, titles):
    names, files = {a["name"] for a in alerts}, {f[:-3] for f in books}
    faults = {("no runbook", n) for n in names - files} | {("no alert", f"{f}.md") for f in files - names}
    faults |= {("no panel", a["name"]) for a in alerts if a["panel"] not in set(titles)}
    for name in names & files:
        book, severities = books[f"{name}.md"], []
        for a in alerts:
            if a["name"] == name and a["severity"] not in severities:
                severities.append(a["severity"])
        owners = {a["owner"] for a in alerts if a["name"] == name}
        if book["title"] != name or book["owner"] not in owners or book["severity"].split(" or ") != severities:
            faults.add(("disagrees", f"{name}.md"))
    return sorted(faults)
''',
    },
}
