"""``python -m tests.benchmarks``: measure beside the peers and write the tables into README.md here."""

import argparse
import sys

from tests.benchmarks import fraud, grading, loops, peers, profile, serving, speed, stream, tables


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="PEER", help="measure these libraries only")
    parser.add_argument("--sets", default="ab", help="a: 100,000 x 25, b: 1,000,000 x 50 (default: both)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the rows, one round, no README")
    parser.add_argument("--what", choices=list(PARTS), help="measure one of them (default: all)")
    chosen = parser.parse_args(arguments)
    for name, part in PARTS.items():
        if chosen.what == name or (chosen.what is None and (name == "drift" or not chosen.only)):
            part(chosen)


def graded(chosen):
    """Measure the grading of a class."""
    if not peers.installed(["otter-grader"]):
        return
    publish("grading", grading.markdown(chosen.quick), chosen.quick)


def drift(chosen):
    """Measure the detectors."""
    names = peers.installed(dict.fromkeys(["mlmon", *(chosen.only or peers.PEERS)]))
    text = [speed.stamp()]
    for name in chosen.sets:
        entries = [entry for entry in speed.ENTRIES if entry.peer in names and name in entry.sets]
        rows = speed.pairs.SIZES[name]["rows"] // 100 if chosen.quick else None
        found = speed.measure(name, entries, rows=rows, rounds=1 if chosen.quick else chosen.rounds)
        result = speed.summary(entries, found)
        text += ["", speed.markdown(name, result, rows), "", speed.aims_markdown(name, result)]
    text += ["", "### Imports", "", speed.imports_markdown(speed.imports(1 if chosen.quick else 5))]
    page = "\n".join(text)
    print(page)
    if not chosen.quick and not chosen.only and chosen.sets == "ab":
        tables.write("speed", page)


def profiled(chosen):
    """Measure data larger than memory."""
    publish("profile", profile.markdown(chosen.quick), chosen.quick)


def streamed(chosen):
    """Measure the streaming detectors."""
    publish("stream-speed", stream.markdown(stream.measure(1 if chosen.quick else chosen.rounds, chosen.quick)), chosen.quick)


def served(chosen):
    """Measure what watching a model costs a call."""
    publish("serving", serving.markdown(chosen.quick), chosen.quick)


def looped(chosen):
    """Measure exposure measures and simulators of feedback loops."""
    publish("loops", loops.markdown(chosen.quick), chosen.quick)


def defrauded(chosen):
    """Measure what the fraud monitor costs a transaction."""
    publish("fraud", fraud.markdown(chosen.quick), chosen.quick)


def publish(section, text, quick):
    """Show what was measured; write it into README.md here, unless it was a quick look."""
    page = "\n".join([speed.stamp(), "", text])
    print(page)
    if not quick:
        tables.write(section, page)


PARTS = {"drift": drift, "stream": streamed, "profile": profiled, "serving": served, "loops": looped, "fraud": defrauded, "grading": graded}

if __name__ == "__main__":
    sys.exit(main())
