"""A package whose names are loaded from their modules when they are first asked for, so that it costs no more than what is used of it."""
from importlib import import_module


def lazy(package, names):
    """What a package of lazy names needs: its ``__getattr__``, ``__dir__`` and ``__all__``.

    Parameters
    ----------
    package : dict
        The package's ``globals()``; a name stays there once it has been asked for.
    names : dict of str to str
        Public names, parted by spaces, by the module that holds them. A module may have none, and is at hand itself.

    Returns
    -------
    (callable, callable, list of str)
    """
    home = {name: module for module, each in names.items() for name in each.split()}

    def load(name):
        if name in home:
            value = package[name] = getattr(import_module(f"{package['__name__']}.{home[name]}"), name)
            return value
        if name in names:
            return import_module(f"{package['__name__']}.{name}")
        raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")

    return load, lambda: sorted({*package, *home, *names}), sorted(home)
