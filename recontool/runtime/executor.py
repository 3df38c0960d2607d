"""Tasks to results: the built-in task types, the user's own function, and the thread each one runs in.

A task function takes the task and an `Execution` and returns its value. It runs in a thread of its own,
so that the event loop goes on answering heartbeats whatever the task does.
"""

import importlib
import random
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from recontool.model.errors import UsageError
from recontool.runtime.messages import Assign, Checkpoint, Json, Result
from recontool.runtime.outbox import Outbox

TaskFunction: TypeAlias = Callable[[Mapping[str, Json], "Execution"], Json]

MAX_VALUE_BYTES: Final = 8 * 2**20  # half a frame, so that it travels even when it does not compress
_RETRY_S: Final = 0.05


class Cancelled(Exception):  # noqa: N818 - it is no error
    """Raised inside a task that nobody waits for any more."""


class Saved(Struct, frozen=True):
    """A checkpoint was saved, or could not be (`error`)."""

    checkpoint: Checkpoint
    size_bytes: int = 0
    took_ms: float = 0.0
    error: str = ""


class Restored(Struct, frozen=True):
    """The execution goes on after `number` steps."""

    task: str
    number: int


class RestoreFailed(Struct, frozen=True):
    """A saved checkpoint could not be read; the task begins anew."""

    task: str
    error: str


class Finished(Struct, frozen=True):
    """The execution ended. `result` is durable, or `unsaved` says why not."""

    result: Result
    unsaved: str = ""


class Stopped(Struct, frozen=True):
    """The execution was cancelled."""

    task: str


Note: TypeAlias = Saved | Restored | RestoreFailed | Finished | Stopped
Tell: TypeAlias = Callable[[Note], None]


class Execution:
    """What a task function may use: its progress so far, a way to save more, and patience that ends on cancel.

    Attributes:
        task: its id.
        number: steps done when the restored checkpoint was taken; 0 at a fresh start.
        state: what was saved then; None at a fresh start.
    """

    def __init__(self, assign: Assign, outbox: Outbox, tell: Tell, may_produce: Callable[[], bool]) -> None:
        self.task, self.number, self.state = assign.task, assign.number, assign.state
        self._lease, self._outbox, self._tell, self._may_produce = assign.lease, outbox, tell, may_produce
        self._cancel = threading.Event()

    def checkpoint(self, number: int, state: Json) -> None:
        """Save progress after `number` steps; waits while the send queue is above its watermark.

        Raises:
            Cancelled: the task is not wanted any more.
        """
        while not self._may_produce():
            self.wait(_RETRY_S)
        progress = Checkpoint(self.task, self._lease, number, state)
        began = time.perf_counter()
        try:
            _check_size("the checkpoint", progress)
            size_bytes = self._outbox.keep_checkpoint(progress)
        except (OSError, ValueError) as error:
            self._tell(Saved(progress, error=str(error)))
            return
        self._tell(Saved(progress, size_bytes, (time.perf_counter() - began) * 1000))

    def wait(self, seconds: float) -> None:
        """Sleep, unless the task is cancelled.

        Raises:
            Cancelled: it is.
        """
        if self._cancel.wait(seconds):
            raise Cancelled

    def cancel(self) -> None:
        """Make the next `wait` or `checkpoint` raise."""
        self._cancel.set()


class Executor:
    """Runs each assignment in a thread of its own.

    Args:
        tell: takes notes of what happened; called from the executing threads.
        may_produce: False while producers of bulk should wait.
        own: the user's function; it gets every task whose type is not built in.
    """

    def __init__(
        self, outbox: Outbox, tell: Tell, may_produce: Callable[[], bool], own: TaskFunction | None = None
    ) -> None:
        self._outbox, self._tell, self._may_produce, self._own = outbox, tell, may_produce, own
        self._executions: dict[str, Execution] = {}

    def start(self, assign: Assign) -> None:
        """Begin to run `assign`; notes follow."""
        execution = Execution(assign, self._outbox, self._tell, self._may_produce)
        self._executions[assign.task] = execution
        # A daemon: a task that ignores `cancel` must not keep a drained process alive.
        threading.Thread(target=self._run, args=(assign, execution), name=assign.task, daemon=True).start()

    def cancel(self, task: str) -> None:
        """Stop `task` at its next `wait` or `checkpoint`."""
        execution = self._executions.get(task)
        if execution is not None:
            execution.cancel()

    def ended(self, task: str) -> None:
        """Its last note has been taken."""
        self._executions.pop(task, None)

    def _run(self, assign: Assign, execution: Execution) -> None:
        self._restore(execution)
        began = time.perf_counter()
        try:
            value = self._function(assign.spec)(assign.spec, execution)
            result = Result(assign.task, assign.lease, ok=True, value=value)
            _check_size("the result", result)  # a value that cannot be sent is the task's failure, found here
        except Cancelled:
            self._tell(Stopped(assign.task))
            return
        except Exception as error:  # noqa: BLE001 - whatever a task raises is its result
            result = Result(assign.task, assign.lease, ok=False, error=_sentence(error))
        result = msgspec.structs.replace(result, took_ms=(time.perf_counter() - began) * 1000)
        try:
            self._outbox.keep_result(result)
        except OSError as error:
            self._tell(Finished(result, unsaved=str(error)))
        else:
            self._tell(Finished(result))

    def _restore(self, execution: Execution) -> None:
        try:
            saved = self._outbox.checkpoint(execution.task)
        except (OSError, msgspec.DecodeError) as error:
            self._tell(RestoreFailed(execution.task, str(error)))
            saved = None
        # The coordinator's copy may be older: its last checkpoint can be lost with a connection.
        if saved is not None and saved.number > execution.number:
            execution.number, execution.state = saved.number, saved.state
        if execution.number:
            self._tell(Restored(execution.task, execution.number))

    def _function(self, spec: Mapping[str, Json]) -> TaskFunction:
        kind = spec.get("type")
        built_in = BUILT_IN.get(str(kind))
        if built_in is not None:
            return built_in
        if self._own is None:
            raise ValueError(f"unknown task type {kind!r}; built in are {', '.join(BUILT_IN)}")
        return self._own


def load(name: str) -> TaskFunction:
    """The function that `--executor module:function` names.

    Raises:
        UsageError: there is no such function.
    """
    module, colon, attribute = name.partition(":")
    try:
        function = getattr(importlib.import_module(module), attribute) if colon else None
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"cannot load {name!r}: {error}", where="--executor") from None
    if not callable(function):
        raise UsageError(f"{name!r} is no function, expected module:function", where="--executor")
    found: TaskFunction = function
    return found


def _sentence(error: Exception) -> str:
    last = traceback.format_exception_only(error)[-1].strip()
    return last[:500]


def _check_size(what: str, message: Checkpoint | Result) -> None:
    size_bytes = len(msgspec.msgpack.encode(message))
    msgspec.json.encode(message)  # files are JSON, which holds less than msgpack
    if size_bytes > MAX_VALUE_BYTES:
        raise ValueError(f"{what} is {size_bytes} bytes, at most {MAX_VALUE_BYTES} are carried")


def _number(spec: Mapping[str, Json], name: str, default: float, low: float, high: float) -> float:
    value = spec.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}, expected a number from {low:g} to {high:g}")
    return value


def _sleep(spec: Mapping[str, Json], execution: Execution) -> Json:
    """`iterations` pauses of `seconds` each; a checkpoint every `checkpoint_every` iterations."""
    iterations = int(_number(spec, "iterations", 10, 0, 10**9))
    pause_s = _number(spec, "seconds", 0.1, 0, 86400)
    every = int(_number(spec, "checkpoint_every", 1, 0, 10**9))
    for done in range(execution.number + 1, iterations + 1):
        execution.wait(pause_s)
        if every and done % every == 0 and done < iterations:
            execution.checkpoint(done, {"done": done})
    return {"iterations": iterations, "resumed_at": execution.number}


def _echo(spec: Mapping[str, Json], _: Execution) -> Json:
    """A text of `size` bytes that compresses about as well as logs and readings do."""
    size = int(_number(spec, "size", 64 * 1024, 0, 8 * 2**20))
    draw = random.Random(size)
    lines: list[str] = []
    length = 0
    while length < size:
        lines.append(f"sensor={draw.randrange(100):02d} value={draw.random():.9f} status=ok\n")
        length += len(lines[-1])
    return {"echo": "".join(lines)[:size]}


def _fail(spec: Mapping[str, Json], execution: Execution) -> Json:
    """Like sleep without checkpoints, but raises at iteration `at`."""
    at = int(_number(spec, "at", 1, 1, 10**9))
    pause_s = _number(spec, "seconds", 0.0, 0, 86400)
    for _ in range(at):
        execution.wait(pause_s)
    raise RuntimeError(f"failed at iteration {at}, as asked")


BUILT_IN: Final[dict[str, TaskFunction]] = {"sleep": _sleep, "echo": _echo, "fail": _fail}
