"""Typed configs from plain `variant` dicts: a frozen dataclass, or one line that says exactly what is wrong.

    config = from_dict(ExperimentConfig, variant)  # ConfigError: variant.agent: unknown key 'discout'. Did you mean...
    from_dict(ExperimentConfig, to_dict(config)) == config

A field made by `one_of` holds one of several config classes, chosen by the `name` key of its dict.
"""

import dataclasses
import difflib
import functools
import importlib
import math
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
Table = Mapping[str, Any]  # name -> config class, or "module:Class" where importing it should wait until it is used
_REQUIRED = object()


class ConfigError(ValueError):
    """A variant, a sweep or a flag that does not fit what it is meant for. One line, for the user."""


def one_of(table: Table | Callable[[], Table], default: Any = _REQUIRED) -> Any:
    """A field whose class is chosen by the `name` key of its dict, e.g. `agent=dict(name="sac", ...)`.

    `default` is what an absent key stands for: a name, or a config (given keys without a name change it). None makes
    None the default; without one the field is required.
    A chosen class that has a field `name` is told its name (so that one class may serve several).
    """
    metadata = {"table": table, "default": default}
    if default is _REQUIRED:
        return dataclasses.field(metadata=metadata)
    if default is None or _is_config(default):
        return dataclasses.field(default=default, metadata=metadata)
    return dataclasses.field(default_factory=lambda: _choose(metadata, {"name": default}, default), metadata=metadata)


def from_dict(cls: type[T], values: Mapping[str, Any], path: str = "variant") -> T:
    """Builds `cls` from `values`, checking keys and types all the way down; `path` begins the complaints."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{path} must be a dict, got {values!r}.")
    fields, hints = _fields_of(typing.cast(Any, cls))
    for key in values:
        if key not in fields:
            raise ConfigError(unknown(path, "key", key, fields))
    missing = [name for name, field in fields.items() if name not in values and _is_required(field)]
    if missing:
        raise ConfigError(f"{path} lacks {', '.join(map(repr, missing))}.")

    built = {}
    for key, value in values.items():
        metadata, where = fields[key].metadata, f"{path}.{key}"
        built[key] = _choose(metadata, value, where) if "table" in metadata else _convert(hints[key], value, where)
    try:
        return cls(**built)
    except ValueError as error:  # a check of its __post_init__
        raise ConfigError(f"{path}: {error}") from None


def to_dict(config: Any) -> dict[str, Any]:
    """The plain values (dicts, lists, numbers, strings, None) of `config`, every default filled in."""
    values = {}
    for name, field in _fields_of(typing.cast(Any, type(config)))[0].items():
        value = getattr(config, name)
        plain = _plain(value)
        if "table" in field.metadata and value is not None:
            plain = {"name": _name_of(type(value), field.metadata["table"])} | plain
        values[name] = plain
    return values


def resolve(reference: Any) -> Any:
    """What "package.module:name" refers to, imported now; anything but a string is itself."""
    if not isinstance(reference, str):
        return reference
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def nearest(word: Any, valid: Iterable[Any]) -> str | None:
    """The name in `valid` that `word` was most likely meant to be, if any is close."""
    names = {str(name).lower(): str(name) for name in valid}
    close = difflib.get_close_matches(str(word).lower(), names, n=1)
    return names[close[0]] if close else None


def did_you_mean(word: Any, valid: Iterable[Any]) -> str:
    """A sentence with a space before it, or nothing: " Did you mean 'discount'?"."""
    close = nearest(word, valid)
    return f" Did you mean {close!r}?" if close else ""


def unknown(path: str, what: str, word: Any, valid: Iterable[Any]) -> str:
    """One line: where, what is unknown, the nearest right name, and all right names."""
    names = sorted(map(str, valid))
    return f"{path}: unknown {what} {word!r}.{did_you_mean(word, names)} Valid: {', '.join(names) or 'none'}."


def _choose(metadata: Mapping[str, Any], value: Any, path: str) -> Any:
    table, default = _table(metadata["table"]), metadata["default"]
    if value is None and default is None:
        return None
    if _is_config(value):
        return value
    if isinstance(value, Mapping) and "name" not in value and _is_config(default):
        return from_dict(type(default), to_dict(default) | dict(value), path)
    name = value.get("name", default) if isinstance(value, Mapping) else None
    if not isinstance(name, str):
        raise ConfigError(f"{path} must be a dict with a 'name', one of: {', '.join(sorted(table))}; got {value!r}.")
    if name not in table:
        raise ConfigError(unknown(path, "name", name, table))

    cls = resolve(table[name])
    rest = {key: item for key, item in value.items() if key != "name"}
    return from_dict(cls, rest | {"name": name} if "name" in _fields_of(cls)[0] else rest, path)


def _convert(hint: Any, value: Any, path: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return _plain(value)
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, typing.cast(type, hint)) else from_dict(typing.cast(type, hint), value, path)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(args, value, path)
    if origin is typing.Literal:
        if not any(value == arg and type(value) is type(arg) for arg in args):
            raise ConfigError(unknown(path, "value", value, args))
        return value
    if origin is tuple:
        return _convert_tuple(args, value, path)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{path} must be a dict, got {value!r}.")
        return {str(key): _convert(args[1], item, f"{path}.{key}") for key, item in value.items()}
    return _convert_scalar(hint, value, path)


def _convert_scalar(hint: Any, value: Any, path: str) -> Any:
    if hint not in (bool, int, float, str, type(None)):
        raise TypeError(f"{path}: a config field cannot be of type {hint!r}.")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)  # 1e6 is how people write a million
    if type(value) is not hint:
        raise ConfigError(f"{path} must be {_spoken(hint)}, got {value!r}.")
    if hint is float and math.isnan(value):
        raise ConfigError(f"{path} must be a number, got nan.")
    return value


def _convert_union(args: tuple[Any, ...], value: Any, path: str) -> Any:
    if value is None and type(None) in args:
        return None
    hints = [arg for arg in args if arg is not type(None)]
    if len(hints) == 1:
        return _convert(hints[0], value, path)
    if type(value) in hints and type(value) is not float:
        return value
    for hint in sorted(hints, key=lambda hint: hint is int):  # 1.0 stays a float where both would do
        try:
            return _convert(hint, value, path)
        except ConfigError:
            continue
    raise ConfigError(f"{path} must be {' or '.join(map(_spoken, args))}, got {value!r}.")


def _convert_tuple(args: tuple[Any, ...], value: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"{path} must be a list or tuple, got {value!r}.")
    hints = [args[0]] * len(value) if args[-1] is Ellipsis else list(args)
    if len(hints) != len(value):
        raise ConfigError(f"{path} must have {len(hints)} elements, got {len(value)}: {value!r}.")
    return tuple(_convert(hint, item, f"{path}[{i}]") for i, (hint, item) in enumerate(zip(hints, value, strict=True)))


def _plain(value: Any) -> Any:
    if _is_config(value):
        return to_dict(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _is_config(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _name_of(cls: type, table: Any) -> str:
    for name, reference in _table(table).items():
        # Strings are compared before they are imported: the other entries may need what is not installed.
        if reference is cls or reference == f"{cls.__module__}:{cls.__qualname__}":
            return name
    for name, reference in _table(table).items():
        if resolve(reference) is cls:
            return name
    raise ConfigError(f"{cls.__name__} is in no line of the table of {', '.join(sorted(_table(table)))}.")


def _table(table: Table | Callable[[], Table]) -> Table:
    return table() if callable(table) else table


@functools.cache
def _fields_of(cls: Any) -> tuple[dict[str, dataclasses.Field[Any]], dict[str, Any]]:
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    return fields, typing.get_type_hints(cls)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _spoken(hint: Any) -> str:
    if hint is type(None):
        return "None"
    return hint.__name__ if isinstance(hint, type) else str(hint)
