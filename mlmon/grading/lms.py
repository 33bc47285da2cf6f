"""The names that learning-management systems give to what students upload.

Moodle's "Download all submissions" makes a folder a student, or one long name a file where folders are switched off; Canvas's
"Download Submissions" makes one long name a file. Each name holds the student's name and number, and both are needed to bring a grade back.
"""

import re
from dataclasses import dataclass

# Ada Lovelace_12345_assignsubmission_file/1_ks.ipynb; a group has no number; older versions end the folder's name in "_".
_MOODLE = re.compile(r"^(?P<student>.+?)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?$", re.DOTALL)
# lovelaceada_LATE_12345_678910_1_ks.ipynb: the user's number, then the file's; anon_Ab3xY_678910_1_ks.ipynb where names are hidden;
# lovelaceada_12345_text.html for what was typed into a box.
_CANVAS = re.compile(
    r"^(?:(?P<late>LATE_)?(?P<student>anon_[^\W_]+)|(?P<name>.+?)_(?P<too_late>LATE_)?(?P<number>\d+))"
    r"_(?:\d+_(?P<file>.+\.[^\W\d_]\w*)|(?P<page>(?:text|link)\.html))$", re.DOTALL
)  # fmt: skip
_NUMBERED = re.compile(r"^(?P<name>.+)_(?P<number>\d+)~*$", re.DOTALL)


@dataclass(frozen=True)
class Upload:
    """What the name of a downloaded folder or file says.

    `file` is the name that the student gave, empty for a folder.
    """

    student: str
    file: str = ""
    late: bool = False


def upload(name):
    """Read the name of a folder or file that a learning-management system made.

    Parameters
    ----------
    name : str
        One part of a path.

    Returns
    -------
    Upload or None
        None for any other name.

    Examples
    --------
    >>> upload("Ada Lovelace_12345_assignsubmission_file")
    Upload(student='Ada Lovelace_12345', file='', late=False)
    >>> upload("lovelaceada_LATE_12345_678910_1_ks.ipynb")
    Upload(student='lovelaceada_12345', file='1_ks.ipynb', late=True)
    >>> upload("anna") is None
    True
    """
    if found := _MOODLE.match(name):
        return Upload(found["student"], found["file"] or "")
    if found := _CANVAS.match(name):
        student = found["student"] or f"{found['name']}_{found['number']}"
        return Upload(student, found["file"] or found["page"], bool(found["late"] or found["too_late"]))
    return None


def numbered(student):
    """A student's name and number, as `upload` leaves them together.

    Examples
    --------
    >>> numbered("Ada Lovelace_12345"), numbered("anna")
    (('Ada Lovelace', '12345'), ('anna', ''))
    """
    found = _NUMBERED.match(student)
    return (found["name"], found["number"]) if found else (student, "")
