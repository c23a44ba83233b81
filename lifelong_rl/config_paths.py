"""Changing one value of a `variant` by its dotted path (`phases.0.num_epochs`), and reading a value from a flag."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from lifelong_rl.config import ConfigError


class _Scalars(yaml.SafeLoader):
    """YAML 1.2's plain scalars: 1e-3 is a number, and `no`, 1:30 and 2026-01-01 are words."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}


_RESOLVERS = {
    "null": (r"(null|Null|None|~|)$", ["n", "N", "~", ""]),
    "bool": (r"(true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    "int": (r"[-+]?(0|[1-9][0-9_]*)$", list("-+0123456789")),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf)$|\.(nan|NaN)$",
        list("-+.0123456789"),
    ),
}
for _kind, (_pattern, _first) in _RESOLVERS.items():
    _Scalars.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(_pattern), _first)


def parse_value(text: str) -> Any:
    """The value that a flag's text stands for: 1e-3, true, None, [256, 256], {name: iqe}, or the text itself."""
    text = text.strip()
    loader = _Scalars(text)
    if not text.startswith(("[", "{", '"', "'")):  # so that `#####` and `a: b` are words
        return loader.construct_object(yaml.ScalarNode(loader.resolve(yaml.ScalarNode, text, (True, False)), text))
    try:
        return loader.get_single_data()
    except yaml.YAMLError:
        raise ConfigError(f"{text!r} is not a value: expected a number, a word, [1, 2] or {{name: iqe}}.") from None


def set_path(values: dict[str, Any], path: str, value: Any) -> None:
    """Sets what `path` names in the plain dict `values`; list elements by index, absent dicts are made."""
    *parents, last = path_keys(path)
    here: Any = values
    where = "variant"
    for key in parents:
        if isinstance(here, dict) and here.get(key) is None:
            here[key] = {}
        here = here[_place(here, key, where)]
        where = f"{where}.{key}"
    here[_place(here, last, where)] = value


def path_keys(path: str) -> list[str]:
    """The keys of a dotted path; `phases[0].num_epochs`, as complaints write it, is `phases.0.num_epochs`."""
    keys = re.sub(r"\[(\d+)\]", r".\1", path.strip()).split(".")
    if not all(keys):
        raise ConfigError(f"{path!r} is not a path: expected words joined by dots, e.g. agent.learning_rate.")
    return keys


def plain_copy(values: Any) -> Any:
    """A deep copy in which every mapping is a dict and every tuple a list."""
    if isinstance(values, Mapping):
        return {key: plain_copy(value) for key, value in values.items()}
    return [plain_copy(value) for value in values] if isinstance(values, list | tuple) else values


def first_difference(ours: Any, theirs: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """The first path, in our order, at which two plain values differ, and what stands there in each; None: nowhere."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in dict.fromkeys([*ours, *theirs]):
            found = first_difference(ours.get(key), theirs.get(key), f"{path}.{key}" if path else str(key))
            if found is not None:
                return found
        return None
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return next(filter(None, (first_difference(a, b, f"{path}.{i}") for i, (a, b) in pairs)), None)
    return None if ours == theirs else (path, ours, theirs)


def _place(here: Any, key: str, where: str) -> str | int:
    if isinstance(here, dict):
        return key
    if not isinstance(here, list):
        raise ConfigError(f"{where} is {here!r}, so there is no {where}.{key}.")
    if not key.isdecimal():
        raise ConfigError(f"{where} is a list, so {key!r} must be an index from 0 to {len(here) - 1}.")
    if int(key) >= len(here):
        raise ConfigError(f"{where} has {len(here)} elements, so there is no {where}.{key}.")
    return int(key)
