"""The command `mlmon`: what is installed, how far a student has come, what students get, what they earned."""

import argparse
import os
import sys
from collections import Counter


def main(argv=None):
    """Run one command.

    Parameters
    ----------
    argv : list of str, optional
        The words after ``mlmon``; by default those of the command line.

    Returns
    -------
    int
        0 when all is well, 1 when a row needs a look, 2 when the command could not do its work.

    Examples
    --------
    >>> main(["release", "--root", "/"])
    2
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    try:
        return _run(argv)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] == "mlmon":
            raise
        print(f"mlmon {argv[0]} needs the package {error.name.split('.')[0]}, got none. `mlmon doctor` says how to install it.", file=sys.stderr)
        return 2


def _run(argv):
    if argv[:1] == ["doctor"]:
        from mlmon import doctor

        return doctor.main(argv[1:])
    if argv[:1] == ["lab"]:
        from mlmon import lab

        return lab.main(argv[1:])
    if argv[:1] == ["stack"]:
        from mlmon.serving import stack

        return stack.main(argv[1:])
    options = _parser().parse_args(argv)
    if options.run is _progress:
        return _progress(options)
    from mlmon.grading.course import Course, GradingError

    try:
        return options.run(Course.at(options.root), options)
    except GradingError as error:
        print(f"mlmon {options.command}: {error}", file=sys.stderr)
        return 2


def _parser():
    parser = argparse.ArgumentParser(prog="mlmon", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="say what is installed and what each missing piece costs", add_help=False)
    commands.add_parser("lab", help="open the course in JupyterLab", add_help=False)
    commands.add_parser("stack", help="run the real monitoring servers around a scoring service", add_help=False)
    progress = commands.add_parser("progress", help="say which notebooks and exercises are done")
    progress.set_defaults(run=_progress)
    release = commands.add_parser("release", help="make exercises/ from solutions/")
    release.add_argument("exercises", nargs="*", metavar="exercise", help="default: all of them")
    release.add_argument("--archive", action="store_true", help="also pack build/mlmon-students.zip")
    release.set_defaults(run=_release)
    grade = commands.add_parser("grade", help="grade a class, write feedback and build/grades.csv")
    grade.add_argument("exercise")
    grade.add_argument("--submissions", required=True, metavar="DIR", help="folder or zip of <student>/<notebook>.ipynb, or what Moodle or Canvas gives")
    grade.add_argument("--workers", type=_count, default=os.cpu_count(), help="submissions at the same time (%(default)s)")
    grade.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask cluster whose workers run the submissions")
    grade.add_argument("--unsafe", action="store_true", help="run strangers' code without a sandbox, where there is none")
    grade.add_argument("--cell-seconds", type=_count, help="longest that a cell may run")
    grade.add_argument("--notebook-seconds", type=_count, help="longest that a notebook may run")
    grade.set_defaults(run=_grade)
    export = commands.add_parser("export", help="write the grades of an exercise for Canvas or Moodle")
    export.add_argument("system", choices=["canvas", "moodle"])
    export.add_argument("exercise")
    export.add_argument("--roster", required=True, metavar="CSV", help="Canvas's gradebook export, Moodle's grading worksheet")
    export.add_argument("--column", help="Canvas's column for the points (default: the one with the exercise's name)")
    export.add_argument("--scale", action="store_true", help="stretch the points to the system's maximum, where that is another")
    export.set_defaults(run=_export)
    new = commands.add_parser("new", help="begin an exercise of your own in solutions/")
    new.add_argument("what", choices=["exercise"])
    new.add_argument("name", help="a word of letters, digits and _, such as ex5_mine")
    new.set_defaults(run=_new)
    for command in (progress, release, grade, export, new):
        command.add_argument("--root", default=".", help="a folder of the course (default: this one)")
    return parser


def _count(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"needs a whole number from 1, got {text}")
    return number


def _progress(options):
    from mlmon import progress

    try:
        print(progress.read(options.root), flush=True)
        return 0
    except BrokenPipeError:  # the reader has seen enough, as in `mlmon progress | head -3`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except ValueError as error:
        print(f"mlmon progress: {error}", file=sys.stderr)
        return 2


def _release(course, options):
    from mlmon.grading import release

    names = options.exercises or course.exercises()
    for name in names:
        print(f"exercises/{name}: {'made anew' if release.release(course, name) else 'unchanged'}")
    if options.archive:
        print(release.archive(course, names))
    return 0


def _grade(course, options):
    from mlmon.grading import autograde

    if options.cell_seconds:
        course.config.Execute.timeout = options.cell_seconds
    if options.notebook_seconds:
        course.config.RunSubmission.budget = options.notebook_seconds
    with _log_to(course.build / "grade.log"):
        how = {"workers": options.workers, "scheduler": options.scheduler, "unsafe": options.unsafe}
        rows = autograde.grade(course, options.exercise, options.submissions, **how)
    for status, number in Counter(row.status for row in rows).most_common():
        print(f"{number:5d} {status}")
    print(f"{course.build / 'grades.csv'} and one page a student in {course.build / 'feedback'}")
    return int(any(row.status != "graded" for row in rows))


def _export(course, options):
    from mlmon.grading import export

    done = export.export(course, options.exercise, options.system, options.roster, column=options.column, scale=options.scale)
    print(f"{done.written} grades in {done.path}")
    _list("not in it", [f"{student}: {reason}" for student, reason in done.aside.items()])
    _list("with written answers that nobody has graded yet, counted as 0", done.waiting)
    _list("of the roster without points here, left as they are", done.silent)
    return int(bool(done.aside or done.waiting))


def _list(words, lines):
    if lines:
        print(f"{len(lines)} {words}:", *lines, sep="\n    ")


def _new(course, options):
    from mlmon.grading import template

    path = template.new_exercise(course, options.name)
    print(f"{path}\nChange it, then: mlmon release {options.name}")
    return 0


def _log_to(path):
    """Send what nbgrader has to say into a file, not over the progress bar."""
    import contextlib
    import logging

    @contextlib.contextmanager
    def logging_to_file():
        logger, handler = logging.getLogger("mlmon.grading"), logging.FileHandler(path)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
        try:
            yield
        finally:
            logger.removeHandler(handler)
            handler.close()

    return logging_to_file()


if __name__ == "__main__":
    sys.exit(main())
