"""A server of sessions for tests of the sandbox: it runs what it is sent, and knows no better.

`tests/grading/test_sandbox.py` has the sandbox serve it in place of `mlmon.grading.student`.
"""

from mlmon.grading.wire import WireClosed


def serve(channel):
    """Run each text that comes and answer with its `answer`, or with the name and words of its error."""
    while True:
        try:
            source = channel.receive()
        except WireClosed:
            return
        names = {}
        try:
            exec(source, names)  # a stranger's code, as a cell would be
            channel.send(names.get("answer"))
        except BaseException as error:
            channel.send(f"{type(error).__name__}: {error}")
