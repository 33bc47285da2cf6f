"""A lot that is drawn once for each id, and falls the same in every process and after every restart."""
from hashlib import blake2b


def place(id, salt):
    """Where an id falls from 0 to 1: uniform over ids, always the same for one, and another for another salt.

    Parameters
    ----------
    id : str, int, or what else has one text form
    salt : str
        What the lot is drawn for. Two lots with one salt fall alike.

    Returns
    -------
    float
        0 or more, below 1.

    Examples
    --------
    >>> place("anna", "canary 7") == place("anna", "canary 7") != place("anna", "canary 8")
    True
    """
    return int.from_bytes(blake2b(f"{salt}\0{id}".encode(), digest_size=8).digest()) / 2**64
