"""How a test meets the student's work: requests to the student's process, and stand-ins for what lives there.

Plain data cross by value. Everything else stays in the student's process, and a test holds a `Proxy` of it.
Nothing that the other side says is trusted: replies are checked, and none can run code here.
"""

import builtins
import operator
import secrets
from time import monotonic

from .wire import WireClosed, WireError, WireTimeout

GRACE = 2.0  # seconds that an interrupted cell has to stop
LONGEST = 500  # characters of an error's message
MOST_ITEMS = 1_000_000  # that a test takes from one iterator
MOST_NOTES = 50

# A StopIteration of the student's would end a loop of the test early, so it arrives as a RuntimeError.
_ERRORS = {
    name: kind
    for name, kind in vars(builtins).items()
    if isinstance(kind, type) and issubclass(kind, Exception) and kind not in (StopIteration, StopAsyncIteration)
}


class TimeUp(BaseException):
    """The time of a cell is over; no `except Exception` of a test holds it up."""


class Lost(BaseException):
    """The student's process is gone."""


Missing = object()  # the answer to a request for what is not there


class Link:
    """Requests to the process of one session.

    Attributes
    ----------
    deadline : float
        When the request must be answered, as `time.monotonic` counts.
    notes : list of str
        What the process did that is suspicious, by its own word or by ours.
    """

    def __init__(self, session):
        self.session, self.deadline, self.notes = session, None, []
        self.proxies, self.callbacks, self.named = {}, [], {}
        self.failed, self._waiting = None, []

    def request(self, op, *arguments):
        """Ask for something.

        Returns
        -------
        object
            What came; `Missing` if there is none.

        Raises
        ------
        Exception
            What the student's code raised, as the builtin class nearest to it.
        TimeUp, Lost
            From then on each request ends like this one.
        """
        if self.failed:
            raise self.failed
        number = secrets.randbits(48)
        self._waiting.append(number)
        try:
            self._send([number, op, *arguments])
            kind, value = self._reply(number)
        except WireTimeout:
            self.failed = TimeUp()
            raise self.failed from None
        except WireClosed:
            self.failed = Lost()
            raise self.failed from None
        except WireError as error:
            self.note("sent data that can't be read")
            kind, value = "error", {"ename": "TypeError", "evalue": str(error), "mro": ["TypeError"], "number": -1}
        self._waiting.pop()
        if kind == "error":
            raise _exception(value)
        return value

    def stop(self):
        """Interrupt what runs.

        Returns
        -------
        bool
            Whether it has stopped.
        object
            What it had to answer.
        """
        waiting, self._waiting = self._waiting, []
        self.failed = None
        if not waiting:
            return True, None
        self.session.interrupt()
        self.deadline = monotonic() + GRACE
        try:
            return True, self._reply(waiting[0])[1]
        except WireError:
            return False, None

    def name(self, name):
        """What the student's notebook calls `name`; raises KeyError if nothing."""
        if name in self.named:
            return self.named[name]
        value = self.request("get", name)
        if value is Missing:
            raise KeyError(name)
        if isinstance(value, Proxy):
            value = self.named[name] = Proxy(self, value._mlmon.number, value._mlmon.kind, name)
        return value

    def _reply(self, number):
        while True:
            message = self.session.channel.receive(self.deadline, handle=self._proxy)
            match message:
                case ["note", str(text)]:
                    self.note(text)
                case ["callback", int(known), tuple(args), dict(kwargs)]:
                    self._call_back(known, args, kwargs)
                case [int(known), "value", value] if known == number:
                    return "value", value
                case [int(known), "missing"] if known == number:
                    return "value", Missing
                case [int(known), "error", dict(error)] if known == number and _is_error(error):
                    return "error", error
                case _:
                    self.note("sent a reply that nobody asked for")

    def _send(self, message):
        try:
            self.session.channel.send(message, keep=self._keep, deadline=self.deadline)
        except (WireTimeout, WireClosed):
            raise
        except WireError as error:
            raise TypeError(f"A test hands plain data to the student's code. {error}") from None

    def _call_back(self, number, args, kwargs):
        try:
            self._send(["value", self.callbacks[number](*args, **kwargs)])
        except Exception as error:
            self._send(["error", {"ename": type(error).__name__, "evalue": str(error)[:LONGEST]}])

    def _proxy(self, number, kind):
        known = self.proxies.get(number)
        if known is None:
            known = self.proxies[number] = Proxy(self, number, kind)
        return known

    def _keep(self, value):
        if type(value) is Proxy:
            return value._mlmon.number, value._mlmon.kind
        if not callable(value):
            raise WireError(f"Got a value of type {type(value).__name__}.")
        self.callbacks.append(value)
        return len(self.callbacks) - 1, "function", "callback"

    def note(self, text):
        """Keep a note, each once and the first fifty."""
        text = text[:300]
        if text not in self.notes and len(self.notes) < MOST_NOTES:
            self.notes.append(text)


def _is_error(error):
    kinds = {"ename": str, "evalue": str, "mro": list, "number": int}
    return {key: type(value) for key, value in error.items()} == kinds


class _Text(str):
    """A message that stays as it is where an error shows the `repr` of what it is given, as KeyError does."""

    __repr__ = str.__str__


def _exception(error):
    kinds = [_ERRORS[name] for name in error["mro"] if type(name) is str and name in _ERRORS]
    for kind in (*kinds, RuntimeError):
        try:
            made = kind(_Text(error["evalue"][:LONGEST]))
        except TypeError:  # a class that takes more than a message, as UnicodeDecodeError
            continue
        made.student_error = error
        return made


class _Place:
    """Where a proxied object is found."""

    __slots__ = ("link", "number", "kind", "name")

    def __init__(self, link, number, kind, name):
        self.link, self.number, self.kind, self.name = link, number, kind, name

    def ask(self, op, *arguments):
        """What the object answers."""
        return self.link.request(op, self.number if self.name is None else self.name, *arguments)


class Proxy:
    """Stands for an object of the student's: call it, take its attributes and items, its length, walk over it.

    Nothing else crosses. It equals itself only, whatever the student's `__eq__` says.
    """

    __slots__ = ("_mlmon",)

    def __init__(self, link, number, kind, name=None):
        self._mlmon = _Place(link, number, kind, name)

    def __call__(self, *args, **kwargs):
        """Call it with plain data, functions of the test, or other such objects."""
        return self._mlmon.ask("call", args, *([kwargs] if kwargs else []))

    def __getattr__(self, name):
        """An attribute; names with two underscores, by which libraries reach into memory, stay away."""
        if name.startswith("__") or name == "_mlmon":
            raise AttributeError(f"{object.__repr__(self)} has no attribute {name!r}")
        return self._mlmon.ask("attr", name)

    def __getitem__(self, key):
        """An item."""
        return self._mlmon.ask("item", key)

    def __len__(self):
        """Its length."""
        return operator.index(self._mlmon.ask("len"))

    def __bool__(self):
        """True: it is there."""
        return True

    def __iter__(self):
        """Walk over it, up to a million items."""
        items = Proxy(self._mlmon.link, self._mlmon.ask("iter"), "iterator")
        for _ in range(MOST_ITEMS):
            try:
                yield next(items)
            except StopIteration:
                return
        raise ValueError(f"{self!r} has more than {MOST_ITEMS:,} items")

    def __next__(self):
        """The next item of an iterator."""
        value = self._mlmon.ask("next")
        if value is Missing:
            raise StopIteration
        return value

    def __repr__(self):
        place = self._mlmon
        article = "an" if place.kind[:1].lower() in "aeiou" else "a"
        return f"<your {place.name or 'object'}, {article} {place.kind}>"


def call_and_look(function, first, *rest):
    """Call a function, and see what has become of its first argument.

    Arguments cross by value: what the student's code does to them in place, a test does not see unless it asks.

    Returns
    -------
    object
        What the function gives back.
    object
        Its first argument after the call.
    """
    if type(function) is not Proxy:
        return function(first, *rest), first
    got, after = function._mlmon.ask("call_and_look", (first, *rest))
    return got, after
