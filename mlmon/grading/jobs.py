"""The work of a class as jobs of plain data: what one worker does, and how many workers share it."""

import ast
import atexit
import contextlib
import functools
import json
import multiprocessing
import os
import re
import threading
import traceback
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from itertools import islice

import nbformat
from nbgrader.preprocessors import LimitOutput
from nbgrader.utils import is_grade

from . import execute
from .course import GradingError
from .sandbox import Sandbox


@dataclass(frozen=True)
class Job:
    """One submission, with all that a worker on any machine needs to run it."""

    student: str
    notebooks: dict  # name -> JSON of a mended notebook with its hidden tests
    given: dict = field(default_factory=dict)  # name -> what its release gives
    files: dict = field(default_factory=dict)  # path -> bytes of the exercise's data files
    config: object = None  # nbgrader's settings
    warm: tuple = ()  # modules that the sandbox imports once
    unsafe: bool = False


@dataclass(frozen=True)
class Result:
    """What became of a job: each notebook as executed, or why the grader could not run it."""

    student: str
    notebooks: dict = field(default_factory=dict)  # name -> JSON
    failures: dict = field(default_factory=dict)  # name -> traceback
    sandbox: str = ""


_kept = {}  # the sandbox that this process keeps warm, by what it was made for
os.register_at_fork(after_in_child=_kept.clear)  # a sandbox answers to the process that started it
_alone = threading.Lock()  # tests have a process for themselves, whatever its executor does


def run(job):
    """Run a job's notebooks in this process's warm sandbox.

    Parameters
    ----------
    job : Job

    Returns
    -------
    Result
        Also when a notebook could not be run.
    """
    done, failures = {}, {}
    with _alone:
        sandbox = _sandbox(job.warm, job.unsafe)
        for name, text in job.notebooks.items():
            try:
                done[name] = json.dumps(_run(name, nbformat.from_dict(json.loads(text)), sandbox, job))
            except Exception:
                failures[name] = traceback.format_exc()
    return Result(job.student, done, failures, sandbox.kind)


def _run(name, notebook, sandbox, job):
    limits = execute.RunSubmission(config=job.config)
    execute.run_notebook(
        notebook,
        sandbox,
        files=job.files,
        given=job.given.get(name, execute.Given()),
        cell_seconds=limits.timeout,
        notebook_seconds=limits.budget,
        most_output=limits.max_output,
    )
    return LimitOutput(config=job.config).preprocess(notebook, {})[0]


def _sandbox(warm, unsafe):
    if (warm, unsafe) not in _kept:
        _close()
        _kept[warm, unsafe] = Sandbox(warm, unsafe=unsafe)
    return _kept[warm, unsafe]


@atexit.register
def _close():
    while _kept:
        _kept.popitem()[1].close()


class Crew:
    """Workers behind an executor, which is opened when first needed and replaced when a worker's death broke it.

    Parameters
    ----------
    open : callable
        Opens a `concurrent.futures` executor.
    workers : int
        Jobs that it runs at the same time.
    """

    def __init__(self, open, workers):
        self._open, self._pool, self.workers = open, None, workers

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._drop()

    def spread(self, jobs):
        """Run jobs; what a worker's death took along runs again, one job at a time.

        Parameters
        ----------
        jobs : iterable of Job
            Taken a few at a time, so that a class need not fit in memory.

        Yields
        ------
        job : Job
        result : Result or Exception
            An exception says that this very job could not be run.
        """
        jobs, broken = iter(jobs), True
        while broken:
            hit, broken = yield from self._together(jobs)
            for job in hit:
                outcome = self._outcome(self._submit(job))
                if isinstance(outcome, BrokenExecutor):
                    self._drop()
                yield job, outcome

    def _together(self, jobs):
        """Run jobs until all are done or the executor breaks; gives back those to run again, and whether it broke."""
        running, hit, broken = {}, [], False
        try:
            while not broken:
                for job in islice(jobs, 2 * self.workers - len(running)):
                    running[self._submit(job)] = job
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    job, outcome = running.pop(future), self._outcome(future)
                    broken = broken or isinstance(outcome, BrokenExecutor)
                    if isinstance(outcome, Exception):
                        hit.append(job)
                    else:
                        yield job, outcome
            hit += running.values()
            if broken:
                self._drop()
            return hit, broken
        finally:
            for future in running:
                future.cancel()

    def _submit(self, job):
        """A job's future; one that has failed when the executor is broken already."""
        if self._pool is None:
            self._pool = self._open()
        try:
            return self._pool.submit(run, job)
        except BrokenExecutor as error:
            failed = Future()
            failed.set_exception(error)
            return failed

    @staticmethod
    def _outcome(future):
        try:
            return future.result()
        except Exception as error:
            return error

    def _drop(self):
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None


@contextlib.contextmanager
def crew(workers, scheduler=None):
    """Open workers for as long as the block lasts.

    Parameters
    ----------
    workers : int
        Processes on this machine; a cluster has its own number.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://10.0.0.1:8786``. A worker there grades one submission
        at a time, so start each with one thread.

    Yields
    ------
    Crew
    """
    if scheduler is None:
        with Crew(functools.partial(_processes, workers), workers) as made:
            yield made
        return
    with _cluster(scheduler) as client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise GradingError(f"grading needs a worker, and the cluster at {scheduler} has none. Start `dask worker`.")
        with Crew(functools.partial(client.get_executor, pure=False), threads) as made:
            yield made


def _cluster(address):
    try:
        from distributed import Client

        return Client(address, timeout=10)
    except ImportError as error:
        raise GradingError(f"a cluster needs Dask, got {error}. Install it: pip install 'mlmon[scale]'.") from error
    except (OSError, ValueError) as error:
        raise GradingError(f"no Dask scheduler answers at {address!r}: {error}. Start one, or check the address.") from error


def _processes(workers):
    """Processes that are forked, where that can be, from one which has this module's imports behind it: two seconds, once."""
    if "forkserver" in multiprocessing.get_all_start_methods():
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
    else:
        context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent)


def _end_with_parent():
    """Keep a worker from waiting for ever for the next job of a grader that was killed."""

    def watch():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def imports(notebooks):
    """Modules that notebooks import outside of their tests, for a sandbox to import once.

    Parameters
    ----------
    notebooks : iterable of NotebookNode

    Returns
    -------
    tuple of str
        Sorted. Of ``from a import b`` both ``a`` and, where it is a module, ``a.b``.
    """
    cells = [cell for book in notebooks for cell in book.cells if cell.cell_type == "code" and not is_grade(cell)]
    return tuple(sorted({name for cell in cells for name in _imported(cell.source)}))


def _imported(source):
    try:
        tree = ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            whole = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name for name in whole if _is_module(name))


def _is_module(name):
    """Whether there is a module of that name, found without importing its packages."""
    path, parts = None, name.split(".")
    for number in range(len(parts)):
        spec = PathFinder.find_spec(".".join(parts[: number + 1]), path)
        path = spec and spec.submodule_search_locations
        if spec is None or (path is None and number < len(parts) - 1):
            return False
    return True
