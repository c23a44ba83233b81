"""Reads the data in a pickle with a machine of its own that can build data and nothing else; Python's is not used.

A pickle is a program for a stack machine. Here its calls reach only the functions of a table, which make plain values,
arrays and tensors; any other name is refused as soon as the pickle mentions it.
"""

import pickletools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from lifelong_rl.config import ConfigError

Call = Callable[..., Any]
LITERALS = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
NEW: dict[str, Call] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple,
}  # fmt: skip
WITHOUT_EFFECT = {"PROTO", "FRAME", "STOP"}


class OldFileError(ConfigError):
    """An old file that cannot be converted; one line."""


@dataclass
class Unfinished:
    """What a call returned that gets its value from the state that follows, and where the memo holds it."""

    finish: Call
    places: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class _Name:
    """A name of the table, on the stack."""

    text: str
    call: Call


def read_pickled(stream: IO[bytes], calls: Mapping[str, Call], load_persistent: Call | None = None) -> Any:
    """The data of one pickle. `calls` says by full name what may be called; persistent ids go to `load_persistent`."""
    machine = _Machine(calls, load_persistent)
    try:
        for opcode, argument, _ in pickletools.genops(stream):
            machine.execute(opcode.name, argument)
        (value,) = machine.stack
    except OldFileError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RuntimeError) as error:
        raise OldFileError(f"damaged, or no pickle: {' '.join(str(error).split()) or type(error).__name__}") from error
    return value


class _Machine:
    """`stack` is what stands above the last mark; the rest waits in `below`."""

    def __init__(self, calls: Mapping[str, Call], load_persistent: Call | None) -> None:
        self._calls, self._load_persistent = calls, load_persistent
        self.stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def execute(self, opcode: str, argument: Any) -> None:
        if opcode in LITERALS:
            self.stack.append(argument)
        elif opcode in NEW:
            self.stack.append(NEW[opcode]())
        elif opcode in STEPS:
            STEPS[opcode](self, argument)
        elif opcode not in WITHOUT_EFFECT:
            raise OldFileError(f"uses the pickle operation {opcode}; expected only what arrays and tensors need")

    def mark(self, _: None) -> None:
        self._below.append(self.stack)
        self.stack = []

    def pop(self, _: None) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self._take_marked()

    def pop_marked(self, _: None) -> None:
        self._take_marked()

    def duplicate(self, _: None) -> None:
        self.stack.append(self.stack[-1])

    def append(self, _: None) -> None:
        (value,) = self._take(1)
        self._top(list).append(value)

    def append_marked(self, _: None) -> None:
        values = self._take_marked()
        self._top(list).extend(values)

    def set_item(self, _: None) -> None:
        key, value = self._take(2)
        self._top(dict)[key] = value

    def set_marked(self, _: None) -> None:
        values = self._take_marked()
        self._top(dict).update(_pairs(values))

    def make_list(self, _: None) -> None:
        taken = self._take_marked()
        self.stack.append(taken)

    def make_dict(self, _: None) -> None:
        taken = self._take_marked()
        self.stack.append(dict(_pairs(taken)))

    def make_tuple(self, _: None) -> None:
        taken = self._take_marked()
        self.stack.append(tuple(taken))

    def tuple1(self, _: None) -> None:
        self.stack.append(tuple(self._take(1)))

    def tuple2(self, _: None) -> None:
        self.stack.append(tuple(self._take(2)))

    def tuple3(self, _: None) -> None:
        self.stack.append(tuple(self._take(3)))

    def get(self, place: int) -> None:
        self.stack.append(self._memo[place])

    def put(self, place: int | None) -> None:
        place = len(self._memo) if place is None else place
        self._memo[place] = value = self.stack[-1]
        if isinstance(value, Unfinished):
            value.places.append(place)

    def name(self, argument: str) -> None:
        self._push_name(argument.replace(" ", ".", 1))

    def name_on_stack(self, _: None) -> None:
        module, name = self._take(2)
        self._push_name(f"{module}.{name}")

    def instance(self, argument: str) -> None:
        self._push_name(argument.replace(" ", ".", 1))  # refuses all but the table's
        raise OldFileError("makes an instance; expected only what arrays and tensors need")

    def call(self, _: None) -> None:
        name, arguments = self._take(2)
        if not isinstance(name, _Name) or not isinstance(arguments, tuple):
            raise OldFileError(f"calls a {type(name).__name__}; expected only what arrays and tensors need")
        self.stack.append(name.call(*arguments))

    def build(self, _: None) -> None:
        """Only arrays and dtypes have a state that matters; that of a dict is the `_metadata` of torch modules."""
        (state,) = self._take(1)
        target = self.stack[-1]
        if isinstance(target, Unfinished):
            self.stack[-1] = value = target.finish(state)
            self._memo.update(dict.fromkeys(target.places, value))
        elif not isinstance(target, dict):
            raise OldFileError(f"gives a {type(target).__name__} a state; expected only what arrays and tensors need")

    def persistent(self, argument: str | None) -> None:
        if self._load_persistent is None:
            raise OldFileError("refers to data outside of itself; expected a plain pickle")
        self.stack.append(self._load_persistent(argument if argument is not None else self._take(1)[0]))

    def _push_name(self, text: str) -> None:
        if text not in self._calls:
            name = text[:100]
            raise OldFileError(f"needs the class or function {name!r}; only numpy arrays, tensors and plain data pass")
        self.stack.append(_Name(text, self._calls[text]))

    def _top(self, kind: type) -> Any:
        if not isinstance(self.stack[-1], kind):
            raise OldFileError(f"adds to a {type(self.stack[-1]).__name__}; expected a {kind.__name__}")
        return self.stack[-1]

    def _take(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise OldFileError("takes more than it has put down: damaged")
        taken = self.stack[-count:]
        del self.stack[-count:]
        return taken

    def _take_marked(self) -> list[Any]:
        """What stands above the last mark; `stack` is then another list."""
        taken, self.stack = self.stack, self._below.pop()
        return taken


def _pairs(values: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(values[::2], values[1::2], strict=True)


STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "MARK": _Machine.mark, "POP": _Machine.pop, "POP_MARK": _Machine.pop_marked, "DUP": _Machine.duplicate,
    "APPEND": _Machine.append, "APPENDS": _Machine.append_marked,
    "SETITEM": _Machine.set_item, "SETITEMS": _Machine.set_marked,
    "LIST": _Machine.make_list, "DICT": _Machine.make_dict, "TUPLE": _Machine.make_tuple,
    "TUPLE1": _Machine.tuple1, "TUPLE2": _Machine.tuple2, "TUPLE3": _Machine.tuple3,
    "GET": _Machine.get, "BINGET": _Machine.get, "LONG_BINGET": _Machine.get,
    "PUT": _Machine.put, "BINPUT": _Machine.put, "LONG_BINPUT": _Machine.put, "MEMOIZE": _Machine.put,
    "GLOBAL": _Machine.name, "STACK_GLOBAL": _Machine.name_on_stack, "INST": _Machine.instance,
    "REDUCE": _Machine.call, "NEWOBJ": _Machine.call, "BUILD": _Machine.build,
    "PERSID": _Machine.persistent, "BINPERSID": _Machine.persistent,
}  # fmt: skip
