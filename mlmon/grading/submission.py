"""Take in what students hand in: from a folder or a zip, whatever its shape, to notebooks that can be graded.

Nothing is unpacked and no link is followed: files are read into memory with a cap on their size,
matched with the released notebooks by what is in them, and mended from the release (`mend`).
"""

import hashlib
import io
import json
import os
import re
import shutil
import stat
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

import nbformat

from . import lms, mend
from .course import GradingError, log

LARGEST = 64_000_000  # bytes a notebook may have, outputs included
MOST_BYTES = 256_000_000  # that all notebooks of a student may have
MOST_FILES = 1_000  # files looked at for a student
MOST_NOTES = 100  # kept of a student
_NOTEBOOK = re.compile(r"\.ipynb(\.(json|txt))?$|\.json$", re.IGNORECASE)
_ZIP = re.compile(r"\.zip$", re.IGNORECASE)
_SKIP = re.compile(r"^(\..*|__MACOSX|__pycache__)$")


@dataclass
class HandIn:
    """What one student handed in, as it came."""

    student: str
    files: dict = field(default_factory=dict)  # path -> bytes, notebooks only
    received: datetime | None = None
    notes: list = field(default_factory=list)


@dataclass
class Submission:
    """What one student handed in, ready for nbgrader.

    `notebooks` maps the release's names to mended notebooks, `problems` the others to ``(status, reason)``.
    """

    student: str
    notebooks: dict
    problems: dict
    notes: list
    received: datetime | None = None

    def digest(self):
        """Hash of all that can change the grade: the notebooks without their outputs, and what is missing."""
        text = json.dumps([self.notebooks, self.problems], sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def hand_ins(source, exercise=""):
    """Read a class's submissions one student at a time.

    Parameters
    ----------
    source : path
        A folder or a zip that holds ``<student>/<notebook>.ipynb``, at any depth below the student;
        a student's folder may be a zip as well. Or what Moodle or Canvas gives for download (`lms`).
    exercise : str
        Name of the exercise, so that a folder of that name is not taken for a student.

    Yields
    ------
    HandIn
        In the order of the students' names.
    """
    source = Path(source)
    if source.is_dir():
        students = _from_folder(source)
    elif source.exists() and zipfile.is_zipfile(source):
        students = _from_zip(source, exercise)
    else:
        raise GradingError(
            f"submissions are a folder or a zip that holds <student>/<notebook>.ipynb, got {str(source)!r}, "
            f"which is {'no zip' if source.exists() else 'not there'}. Check the path."
        )
    found = False
    for found in students:
        yield found
    if not found:
        raise GradingError(
            f"submissions are kept as <student>/<notebook>.ipynb, and {source} has no student's folder. "
            "Put each student's notebooks into a folder with the student's name, or give the zip that Moodle or Canvas made."
        )


def _from_folder(source):
    students = {}
    for path in sorted(source.iterdir()):
        known = lms.upload(path.name)
        if not _SKIP.match(path.name) and (known or path.is_dir() or path.is_symlink() or _ZIP.search(path.name)):
            students.setdefault(known.student if known else path.name, []).append((path, known))
    taken = set()
    for name in sorted(students):
        hand_in = HandIn(_name(name if students[name][0][0].is_dir() else _ZIP.sub("", name), taken))
        for path, known in students[name]:
            _note_late(known, path.name, hand_in)
            if path.is_symlink():
                hand_in.notes.append("a link in place of a folder was not followed")
            elif path.is_dir():
                _read_folder(path, hand_in)
            else:
                _read_file(path, known.file if known else path.name, hand_in)
        yield hand_in


def _note_late(known, name, hand_in):
    if known and known.late:
        hand_in.notes.append(f"{name} is marked late")


def _read_folder(folder, hand_in):
    for base, folders, names in os.walk(folder):
        for name in sorted(folders):
            if Path(base, name).is_symlink():
                hand_in.notes.append(f"link {name} was not followed")
        folders[:] = sorted(name for name in folders if not _SKIP.match(name))
        for name in sorted(names):
            _read_file(Path(base, name), str(PurePosixPath(Path(base, name).relative_to(folder))), hand_in)


def _read_file(path, name, hand_in):
    status = path.lstat()
    if _SKIP.match(path.name):
        return
    if not stat.S_ISREG(status.st_mode):
        hand_in.notes.append(f"{name} is a link or no regular file and was not read")
    elif _ZIP.search(path.name):
        _read_archive(path, path.name, hand_in)
        _arrived(hand_in, _date(status.st_mtime))
    elif _wanted(name, status.st_size, hand_in):
        try:
            _keep(name, path.read_bytes(), hand_in)
        except OSError as error:
            hand_in.notes.append(f"{name} could not be read: {error.strerror}")
        _arrived(hand_in, _date(status.st_mtime))


def _keep(name, raw, hand_in):
    """Keep a file; a second one of the same name does not take the place of the first."""
    while name in hand_in.files:
        name = f"again/{name}"
    hand_in.files[name] = raw


def _wanted(name, size, hand_in):
    """Whether to read a file: a notebook, not too large, not one too many."""
    if not _NOTEBOOK.search(name):
        hand_in.notes.append(f"{name} is not a notebook and was left out")
        return False
    if size > LARGEST:
        hand_in.notes.append(f"{name} has {size / 1e6:.0f} MB and was left out; {LARGEST / 1e6:.0f} MB are allowed")
        return False
    if len(hand_in.files) >= MOST_FILES or sum(map(len, hand_in.files.values())) + size > MOST_BYTES:
        hand_in.notes.append(f"{name} was left out; {MOST_FILES:,} files and {MOST_BYTES / 1e6:.0f} MB in all are allowed")
        return False
    return True


def _read_archive(file, name, hand_in):
    """Read one student's zip, a path or an open file, into the hand-in."""
    try:
        with zipfile.ZipFile(file) as pack:
            for entry in pack.infolist():
                _read_entry(pack, entry, entry.filename, hand_in)
    except (zipfile.BadZipFile, OSError) as error:
        hand_in.notes.append(f"{name} could not be unpacked: {error}")


def _from_zip(source, exercise):
    """Read a whole class's zip: entries are grouped by their student first."""
    try:
        pack = zipfile.ZipFile(source)
    except zipfile.BadZipFile as error:
        raise GradingError(f"submissions need a whole zip, and {source} is damaged: {error}. Fetch it again.") from None
    with pack:
        for entry in pack.infolist():
            if not _parts(entry.filename):
                log.warning("%s: %r points outside of the zip and was refused", source, entry.filename)
        entries = [(_parts(entry.filename), entry) for entry in pack.infolist()]
        entries = [(parts, entry) for parts, entry in entries if parts and not any(map(_SKIP.match, parts))]
        depth = _depth_of_students([parts for parts, _ in entries if _NOTEBOOK.search(parts[-1]) or _ZIP.search(parts[-1])], exercise)
        students = {}
        for parts, entry in entries:
            student, name = _whose(parts[depth:], entry.is_dir())
            if student:
                students.setdefault(student, []).append((name, parts[depth], entry))
        taken = set()
        for student in sorted(students):
            hand_in = HandIn(_name(student, taken))
            for name, top, entry in students[student]:
                _note_late(lms.upload(top), top, hand_in)
                if _ZIP.search(name):
                    _read_inner(pack, entry, name, hand_in)
                else:
                    _read_entry(pack, entry, name, hand_in)
            yield hand_in


def _whose(parts, folder):
    """The student of an entry of the class's zip, and the entry's name below the student; empty for nobody's.

    Examples
    --------
    >>> _whose(("anna", "work", "one.ipynb"), False), _whose(("anna.zip",), False), _whose(("notes.txt",), False)
    (('anna', 'work/one.ipynb'), ('anna', 'anna.zip'), ('', ''))
    >>> _whose(("lovelaceada_12_34_one.ipynb",), False)
    ('lovelaceada_12', 'one.ipynb')
    """
    known = lms.upload(parts[0]) if parts else None
    if known:
        return known.student, "/".join(filter(None, [known.file, *parts[1:]]))
    if len(parts) > 1 or (parts and folder):
        return parts[0], "/".join(parts[1:])
    return (_ZIP.sub("", parts[0]), parts[0]) if parts and _ZIP.search(parts[0]) else ("", "")


def _depth_of_students(paths, exercise):
    """0, or 1 when the zip has one folder around all the students' folders.

    Examples
    --------
    >>> _depth_of_students([("anna", "one.ipynb"), ("ben", "one.ipynb")], "ex")
    0
    >>> _depth_of_students([("class", "anna", "one.ipynb"), ("class", "ben", "one.ipynb")], "ex")
    1
    >>> _depth_of_students([("anna", "ex", "one.ipynb")], "ex")
    0
    >>> _depth_of_students([("homework", "lovelaceada_12_34_one.ipynb")], "ex")
    1
    """
    if len({parts[0] for parts in paths}) != 1 or lms.upload(paths[0][0]):
        return 0
    return int(all((len(parts) > 2 and parts[1] != exercise) or (len(parts) > 1 and lms.upload(parts[1])) for parts in paths))


def _parts(name):
    """The folders and the name of a zip entry; empty when it points outside of the zip.

    Examples
    --------
    >>> _parts("anna/one.ipynb")
    ('anna', 'one.ipynb')
    >>> _parts("anna/../../one.ipynb")
    ()
    """
    path = PurePosixPath(name.replace("\\", "/"))
    unsafe = path.is_absolute() or ".." in path.parts or re.match(r"^[A-Za-z]:", name)
    return () if unsafe else path.parts


def _read_entry(pack, entry, name, hand_in):
    parts = _parts(entry.filename)
    if not parts:
        hand_in.notes.append(f"{entry.filename!r} points outside of the zip and was refused")
        return
    if entry.is_dir() or any(map(_SKIP.match, PurePosixPath(name).parts)):
        return
    if stat.S_ISLNK(entry.external_attr >> 16):
        hand_in.notes.append(f"{name} is a link and was not followed")
    elif _wanted(name, entry.file_size, hand_in):
        raw = _content(pack, entry, name, hand_in)
        _keep(name, raw, hand_in)
        if raw:
            _arrived(hand_in, datetime(*entry.date_time, tzinfo=timezone.utc) if entry.date_time[0] > 1980 else None)


def _read_inner(pack, entry, name, hand_in):
    """Read a student's zip that came inside of the class's; a zip within that one is left out."""
    if entry.file_size > LARGEST:
        hand_in.notes.append(f"{name} has {entry.file_size / 1e6:.0f} MB and was left out; {LARGEST / 1e6:.0f} MB are allowed")
    elif raw := _content(pack, entry, name, hand_in):
        _read_archive(io.BytesIO(raw), name, hand_in)


def _content(pack, entry, name, hand_in):
    """The bytes of an entry, not more than are allowed; none, and a note, when it cannot be unpacked."""
    try:
        with pack.open(entry) as file:
            return file.read(LARGEST)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
        hand_in.notes.append(f"{name} could not be unpacked: {error}")
        return b""


def _name(raw, taken):
    """A student's name that can be a folder, no pattern of folders, and nothing that a spreadsheet would compute.

    Examples
    --------
    >>> _name(" Anna [late] ", set()), _name("anna", {"anna"}), _name("=1+1", set())
    ('Anna (late)', 'anna~', '_1+1')
    """
    name = re.sub(r"[\x00-\x1f/\\*?]", "_", raw.replace("[", "(").replace("]", ")")).strip() or "_"
    name = re.sub(r"^[=+@-]", "_", name)
    while name in taken:
        name += "~"
    taken.add(name)
    return name


def _date(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc)


def _arrived(hand_in, when):
    if when is not None and (hand_in.received is None or when > hand_in.received):
        hand_in.received = min(when, datetime.now(timezone.utc))


def normalise(hand_in, release):
    """Match a student's files with the released notebooks, and mend them.

    Parameters
    ----------
    hand_in : HandIn
    release : dict of str to NotebookNode
        The released notebooks by name.

    Returns
    -------
    Submission
        With a notebook or a problem for each notebook of the release.
    """
    notes, read, broken = list(hand_in.notes), {}, {}
    for name, raw in hand_in.files.items():
        try:
            read[name] = mend.cells(mend.parse(raw))
        except mend.Unreadable as error:
            broken[name] = str(error)
    chosen = _match(read, release)
    notebooks = {}
    for name, file in chosen.items():
        if PurePosixPath(file).name != f"{name}.ipynb":
            notes.append(f"{file} was taken for {name}.ipynb")
        notebooks[name], repairs = mend.mend(read[file], release[name])
        notes += [f"{name}: {repair}" for repair in repairs]
    notes += [f"{file} was not graded" for file in read if file not in chosen.values()]
    problems = {name: _problem(name, hand_in, broken) for name in release if name not in notebooks}
    told = " ".join(reason for _, reason in problems.values())
    notes += [f"{file} {reason}" for file, reason in broken.items() if file not in told]
    return Submission(hand_in.student, notebooks, problems, _few(notes), hand_in.received)


def _few(notes):
    """The first notes, and how many more there were."""
    more = len(notes) - MOST_NOTES
    return notes if more <= 0 else [*notes[:MOST_NOTES], f"and {more:,} notes more"]


def _match(read, release):
    """Pair files with released notebooks, best pair first.

    What is in a file counts more than its name; worked notebooks come before untouched copies.
    """
    pairs = []
    for file, found in read.items():
        stem = PurePosixPath(file).name.split(".")[0].casefold()
        for name, notebook in release.items():
            overlap = mend.overlap(found, notebook)
            named = stem == name.casefold()
            if overlap >= 0.3 or named:
                pairs.append((overlap < 0.3, not mend.worked(found, notebook), not named, -overlap, file, name))
    chosen = {}
    for *_, file, name in sorted(pairs):
        if name not in chosen and file not in chosen.values():
            chosen[name] = file
    return chosen


def _problem(name, hand_in, broken):
    for file, reason in broken.items():
        if name.casefold() in PurePosixPath(file).name.casefold() or len(hand_in.files) == 1:
            return ("corrupt notebook", f"{file} {reason}")
    if not hand_in.files:
        return ("no submission", "no notebook was handed in")
    return ("missing notebook", f"{name}.ipynb was not handed in")


def write(submission, folder):
    """Write a normalised submission where nbgrader looks for it.

    Parameters
    ----------
    submission : Submission
    folder : path
        Emptied first.
    """
    folder = Path(folder)
    if folder.exists():
        shutil.rmtree(folder)
    if not submission.notebooks:
        return
    folder.mkdir(parents=True)
    for name, notebook in submission.notebooks.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")
    if submission.received is not None:
        (folder / "timestamp.txt").write_text(f"{submission.received:%Y-%m-%d %H:%M:%S} UTC")
