"""`Processes`: call func in worker processes, which end with the fit, however it ends."""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SIGNALS = {signal.SIGINT, signal.SIGTERM}
_PICKLING = 5.0  # seconds allowed for pickling and unpickling an exception
_GRACE = 1.0  # seconds allowed for func to clean up
_IDLE = 10.0  # seconds allowed for an idle process to end


class Processes:
    """One process per point, at most `count`; none within a daemonic process, which may not start any."""

    def __init__(self, func: Callable[..., Any], args: tuple[Any, ...], count: int, caller: str, role: str) -> None:
        self._func, self._args, self._count, self._caller, self._role = func, args, count, caller, role
        self._home = os.getpid()
        self._context = multiprocessing.get_context()
        self._processes: dict[Connection, Any] = {}
        self._answered: set[Connection] = set()

    def __call__(self, points: Sequence[NDArray[np.float64]]) -> tuple[list[Any], bool]:
        if multiprocessing.current_process().daemon:
            return [self._func(point, *self._args) for point in points], True
        if not self._processes:
            self._start(min(self._count, len(points)))
        results: list[Any] = [None] * len(points)
        tasks = iter(enumerate(points))
        busy: dict[Connection, int] = {}
        ready = [*self._processes]
        while True:
            for connection in ready:
                if connection in busy:
                    place = busy.pop(connection)
                    results[place] = self._receive(connection, points[place])
                task = next(tasks, None)
                if task is not None:
                    busy[connection] = task[0]
                    self._send(connection, task[1])
            if not busy:
                return results, True
            answered = wait([*busy], 1)
            ready = [connection for connection in busy if connection in answered]
            # If func has forked, its child may keep the connection of an ended process open.
            for connection in () if ready else busy:
                if not self._processes[connection].is_alive():
                    raise self._ended(connection, points[busy[connection]])

    def _start(self, count: int) -> None:
        atexit.register(self._end, abruptly=True)  # before multiprocessing waits for them
        source = f"{self._caller}: {self._role}"
        with _signals_later(self._context.get_start_method()):
            for _ in range(count):
                ours, theirs = self._context.Pipe()
                process = self._context.Process(target=_work, args=(theirs, self._func, self._args, source))
                try:
                    process.start()
                except (pickle.PicklingError, AttributeError, TypeError) as error:
                    raise TypeError(
                        f"{self._caller}: workers={self._count} cannot send {self._role} to its processes: {error};"
                        " expected a module-level function and arguments that can be pickled"
                    ) from error
                finally:
                    theirs.close()
                self._processes[ours] = process

    def _send(self, connection: Connection, point: NDArray[np.float64]) -> None:
        try:
            connection.send(point)
        except OSError:
            raise self._ended(connection, point) from None

    def _receive(self, connection: Connection, point: NDArray[np.float64]) -> Any:
        try:
            trace = connection.recv()
            data = connection.recv_bytes()
        except (EOFError, OSError):
            raise self._ended(connection, point) from None
        self._answered.add(connection)
        if trace is not None:
            raise pickle.loads(data) from RemoteTraceback(trace)
        try:
            return pickle.loads(data)
        except Exception as error:
            raise TypeError(
                f"{self._caller}: what {self._role} returned in a process of workers={self._count} cannot be unpickled:"
                f" {error}"
            ) from error

    def _ended(self, connection: Connection, point: NDArray[np.float64]) -> Exception:
        """The error for a process that ended by itself."""
        from concurrent.futures.process import BrokenProcessPool

        self._processes[connection].join(1)
        code = self._processes[connection].exitcode
        how = "ended" if code is None else f"exited with status {code}"
        if code is not None and code < 0:
            how = f"was killed by signal {-code}"
            with contextlib.suppress(ValueError):
                how = f"was killed by {signal.Signals(-code).name}"
        when = f"while it evaluated {self._role} at {point}"
        method = self._context.get_start_method()
        if connection not in self._answered and method != "fork":
            when = (
                f"before its first result; with multiprocessing's start method {method}, a program needs the"
                ' guard `if __name__ == "__main__":`, and a function from an importable module'
            )
        return BrokenProcessPool(f"{self._caller}: a process of workers={self._count} {how} {when}")

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, error_type: object, *error: object) -> None:
        self._end(abruptly=error_type is not None)

    def _end(self, abruptly: bool) -> None:
        if os.getpid() != self._home:
            return
        atexit.unregister(self._end)
        processes = self._processes.values()
        end = time.monotonic() + (_GRACE if abruptly else _IDLE)
        try:
            for connection in () if abruptly else self._processes:
                with contextlib.suppress(OSError):
                    connection.send(None)
            while (running := [process for process in processes if _runs(process)]) and time.monotonic() < end:
                for process in running if abruptly else ():
                    process.terminate()  # repeatedly, since another of its threads may get the signal
                running[0].join(0.1)
        finally:
            for process in processes:
                if process.is_alive():
                    process.kill()
            for connection, process in self._processes.items():
                process.join()
                connection.close()


def _runs(process: Any) -> bool:
    # If something else reaps children, such as SIG_IGN for SIGCHLD, only the sentinel shows the end.
    return process.is_alive() and not wait([process.sentinel], 0)


class RemoteTraceback(Exception):
    """The traceback of an exception in another process, as text."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


def sendable(error: BaseException) -> tuple[bytes, RuntimeError | None]:
    """An exception pickled; if it fails to pickle and unpickle (both are tried), a substitute, pickled and as it is."""
    found: list[Any] = []

    def attempt() -> None:
        cloudpickle = [module for name, module in [*sys.modules.items()] if name.endswith("cloudpickle")]
        for dumps in (pickle.dumps, *(module.dumps for module in cloudpickle if hasattr(module, "dumps"))):
            try:
                data = dumps(error)
                if isinstance(pickle.loads(data), BaseException):
                    found[:] = [data]
                    return
                failure = "unpickled, it is not an exception"
            except BaseException as problem:
                failure = _text(problem)
            found[:] = [failure]

    thread = threading.Thread(target=attempt, daemon=True)  # it runs the user's code, which may hang
    thread.start()
    thread.join(_PICKLING)
    if found and isinstance(found[0], bytes):
        return found[0], None
    why = found[0] if found else f"it takes more than {_PICKLING:g} s"
    substitute = RuntimeError(
        f"{_text(error)} (raised in a worker process; the exception itself cannot be pickled and unpickled:"
        f" {why})"
    )
    return pickle.dumps(substitute), substitute


def _text(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception_only(error)).strip()
    except Exception:
        return type(error).__name__


@contextlib.contextmanager
def _signals_later(method: str) -> Iterator[None]:
    """Block Ctrl-C and SIGTERM, also in processes started meanwhile, until they have their own handlers."""
    if not hasattr(signal, "pthread_sigmask") or method == "forkserver":  # its server would keep the mask
        yield
        return
    if method == "spawn":
        from multiprocessing.resource_tracker import ensure_running

        ensure_running()  # it unblocks the signals
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# What follows runs in a worker process.


class _Ended(SystemExit):
    """Raised by SIGTERM, so that func cleans up: `subprocess.run`, for one, ends its program."""


def _work(connection: Connection, func: Callable[..., Any], args: tuple[Any, ...], source: str) -> None:
    """For each point, send a traceback or None, then what func raised or returned there, pickled.

    source: start of error messages, such as "leastsq: func".
    """
    try:
        _prepare()
        while (point := connection.recv()) is not None:
            trace, data = _answer(func, args, source, point)
            connection.send(trace)
            connection.send_bytes(data)
    except (EOFError, OSError):
        pass


def _answer(
    func: Callable[..., Any], args: tuple[Any, ...], source: str, point: NDArray[np.float64]
) -> tuple[str | None, bytes]:
    try:
        value = func(point, *args)
        try:
            return None, pickle.dumps(value)
        except Exception as error:
            raise TypeError(
                f"{source} returned a {type(value).__name__}, which cannot be sent from a worker process: {error}"
            ) from error
    except _Ended:
        raise
    except BaseException as error:
        try:
            trace = "".join(traceback.format_exception(error))
        except Exception:
            trace = _text(error)
        return trace, sendable(error)[0]


def _prepare() -> None:
    """Leave Ctrl-C to the fit's process, and end on SIGTERM or with that process."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # not SIG_IGN, which func's child programs would inherit
        signal.signal(signal.SIGINT, _nothing)
    signal.signal(signal.SIGTERM, _raise_ended)
    signal.set_wakeup_fd(-1)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    threading.Thread(target=_watch, args=(os.getppid(), threading.main_thread().ident), daemon=True).start()


def _nothing(*_: object) -> None:
    pass


def _raise_ended(*_: object) -> None:
    signal.signal(signal.SIGTERM, _nothing)
    raise _Ended(128 + signal.SIGTERM)  # as a shell's exit status


def _watch(parent: int, main: int) -> None:
    """End this process with the fit's process."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # so that they interrupt func, in the main thread
    fit = multiprocessing.parent_process()
    assert fit is not None
    # A process forked by func may keep the sentinel from firing.
    while not wait([fit.sentinel], 1) and os.getppid() == parent:
        pass
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGTERM)
        time.sleep(_GRACE)
    os._exit(1)
