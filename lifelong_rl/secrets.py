"""Credentials become `***` before anything is written: by the name they stand under, by their form, or by their value.

`secret_names.py` tells an API key's name from `key_size`; the forms are those of known services' keys; and what this
process's environment holds under such a name is masked wherever it stands.
"""

import os
import re
import time
import urllib.parse
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lifelong_rl.secret_names import is_credential_name, is_random, may_be_credential, may_be_of_text

MASK = "***"
MIN_KNOWN_LENGTH = 8  # shorter values of the environment could be ordinary words
REFRESH_SECONDS = 1.0  # how long a LineMask trusts what it last read from the environment

Known = tuple[str, ...]


def known_secrets(environment: Mapping[str, str]) -> Known:
    """The values of the credentials in `environment`, longest first, also as they stand in an address."""
    found = set()
    for name, value in environment.items():
        if is_credential_name(name) or may_be_credential(name, value):
            lines = {line.strip() for line in value.splitlines() if not line.startswith("-----")}
            found |= lines | {urllib.parse.quote(line, safe="") for line in lines}
    return tuple(sorted((value for value in found if len(value) >= MIN_KNOWN_LENGTH), key=len, reverse=True))


def mask_secrets(text: str, known: Known | None = None) -> str:
    """`text` without its credentials. `known`: values to mask wherever they stand, by default the environment's."""
    for value in known_secrets(os.environ) if known is None else known:
        text = text.replace(value, MASK)
    lowered = text.lower()
    for rule in _RULES:
        if any(hint in lowered for hint in rule.hints):
            text = rule.pattern.sub(rule.replacement, text)
    return _mask_named(text) if any(hint in lowered for hint in _NAME_HINTS) else text


def mask_values(tree: Any, known: Known | None = None) -> Any:
    """A copy of dicts, lists and tuples, as of JSON, in which no string holds a credential."""
    return _mask_tree(tree, "", known_secrets(os.environ) if known is None else known)


def mask_words(words: Iterable[str]) -> list[str]:
    """A command's words, masked: one that follows `--password`, or stands behind `password=`, goes as a whole."""
    masked, previous = [], ""
    for word in words:
        name, equals, _ = word.partition("=")
        if previous.startswith("--") and "=" not in previous and is_credential_name(previous):
            masked.append(MASK)
        else:
            masked.append(f"{mask_secrets(name)}={MASK}" if equals and is_credential_name(name) else mask_secrets(word))
        previous = word
    return masked


class LineMask:
    """`mask_secrets` for text that comes line by line: cheap for plain lines, and it knows a key over many."""

    def __init__(self) -> None:
        self._known: Known = ()
        self._read_at = -REFRESH_SECONDS
        self._in_key = False

    def __call__(self, lines: str) -> str:
        """`lines` are whole ones."""
        now = time.monotonic()
        if now - self._read_at >= REFRESH_SECONDS:
            self._known, self._read_at = known_secrets(os.environ), now
        if self._in_key or "PRIVATE KEY" in lines:
            return "".join(self._mask_line(line) for line in lines.splitlines(keepends=True))
        return mask_secrets(lines, self._known)

    def _mask_line(self, line: str) -> str:
        if self._in_key and _KEY_LINE.fullmatch(line):
            return f"{MASK}\n"
        self._in_key = _KEY_BEGIN.search(line) is not None and "-----END" not in line
        return mask_secrets(line, self._known)


def _mask_tree(tree: Any, name: str, known: Known) -> Any:
    if isinstance(tree, str):
        named = is_credential_name(name) or may_be_credential(name, tree)
        return MASK if named and tree else mask_secrets(tree, known)
    if isinstance(tree, Mapping):
        inherited = name if is_credential_name(name) else ""
        return {_mask_key(key, known): _mask_tree(value, inherited or str(key), known) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_mask_tree(value, name, known) for value in tree]
    return tree


def _mask_key(key: Any, known: Known) -> Any:
    return mask_secrets(key, known) if isinstance(key, str) else key


def _mask_named(text: str) -> str:
    """Masks what is given to a name: `api_key = ...`, `"password": "..."`, `--token ...`."""
    parts, position = [], 0
    for match in _NAME.finditer(text):
        value = _VALUE.match(text, match.end())
        if match.start() < position or value is None or not _is_secret(match["name"], value):
            continue
        start = value.start(value.lastgroup or 0)
        parts += [text[position:start], MASK]
        position = value.end(value.lastgroup or 0)
    return "".join([*parts, text[position:]])


def _is_secret(name: str, value: re.Match[str]) -> bool:
    content, is_quoted = value[value.lastgroup or 0], value.lastgroup != "plain"
    if may_be_credential(name, content):
        return True
    if not is_credential_name(name) or not content or (not is_quoted and _CODE.fullmatch(content)):
        return False
    if is_quoted or name.startswith("--") or name.isupper():
        return True
    return len(content) >= 4 and (not may_be_of_text(name) or is_random(content))


class _Rule(NamedTuple):
    """`pattern` is only tried where one of `hints` stands in the text, in lower case: most lines have none."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str = MASK


_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINE = re.compile(r"\W{0,3}[A-Za-z0-9+/=]{1,80}\s*|[A-Z][A-Za-z-]+: .*\s*|\s*")
_KEY_END = r"-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----"

_RULES = (
    _Rule(("private key",), re.compile(rf"{_KEY_BEGIN.pattern}.{{0,10000}}?{_KEY_END}", re.DOTALL)),
    _Rule(("private key",), re.compile(rf"{_KEY_BEGIN.pattern}(?:(?:\\n|[\s+\"'-])*[A-Za-z0-9+/=]{{16,}})*")),
    _Rule(("akia", "asia"), re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}")),
    _Rule(("hf_",), re.compile(r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}")),
    _Rule(("gh",), re.compile(r"(?<![A-Za-z0-9])(?:gh[opurs]_[A-Za-z0-9]{16,}|github_pat_\w{16,})")),
    _Rule(("glpat-",), re.compile(r"(?<![A-Za-z0-9])glpat-[\w-]{16,}")),
    _Rule(("sk-", "sk_", "rk_"), re.compile(r"(?<![\w-])(?:sk-|[rs]k_(?:live|test)_)(?=[\w-]*\d)[\w-]{16,}")),
    _Rule(("xox", "xapp-"), re.compile(r"(?<![A-Za-z0-9])(?:xox[a-z]|xapp)-(?=[\w-]*\d)[\w-]{10,}")),
    _Rule(("npm_", "pypi-", "aiza"), re.compile(r"(?<![A-Za-z0-9])(?:npm_\w{30,}|pypi-[\w-]{30,}|AIza[\w-]{30,})")),
    _Rule(("wandb_v",), re.compile(r"wandb_v\d+_\w{16,}")),
    _Rule(("eyj",), re.compile(r"(?<![A-Za-z0-9])eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?")),
    # `Authorization:` up to the end of the quotation or line, since a scheme may stand between; "Bearer" by itself
    _Rule(
        ("authorization",),
        re.compile(r"(?i)(authorization[\"']?[ \t]*+[:=][ \t]*+[\"']?)[^\"'\r\n]{4,}"),
        rf"\1{MASK}",
    ),
    _Rule(("bearer",), re.compile(r"(?i)\b(bearer[ \t]+)(?=\S*\d|\S{20})[\w.~+/=-]{8,}"), rf"\1{MASK}"),
    # scheme://user:password@host, scheme://token@host (not host:port/path@x), ?X-Amz-Signature=
    _Rule(("://",), re.compile(r"(://)[^\s/@:\"'<>]{0,200}:(?!\d{1,5}[/?#])[^\s\"'<>]{1,500}@"), rf"\1{MASK}@"),
    _Rule(("://",), re.compile(r"(://)(?=[A-Za-z_-]*\d)[\w.~%-]{16,500}@"), rf"\1{MASK}@"),
    _Rule(("sig",), re.compile(r"(?i)([?&](?:x-amz-)?sig(?:nature)?=)[^\s&\"'<>]+"), rf"\1{MASK}"),
    # a Weights & Biases key looks like a git commit: only what is said before it tells them apart
    _Rule(
        ("wandb", "api", "key", "login"),
        re.compile(
            r"(?i)((?<![a-z])(?:wandb|api|key|login)(?![a-z])(?:(?!commit|sha|revision)[^\n]){0,40}?)"
            r"(?<![0-9a-z])[0-9a-f]{40}(?![0-9a-z])"
        ),
        rf"\1{MASK}",
    ),
    # words in between, or none: "password is hunter2hunter2", "api key 0a1b..."
    _Rule(
        ("pass", "secret", "key", "token"),
        re.compile(
            r"(?i)\b((?:password|passwd|passphrase|secret|(?:api|access|secret)[ _-]?key|(?:api|access|auth) ?token)"
            r"[ \t]+(?:(?:is|was)[ \t]+)?[\"'`]?)(?=[^\s\d]*\d)(?=[^\sa-z]*[a-z])[^\s\"'`]{8,}"
        ),
        rf"\1{MASK}",
    ),
)  # fmt: skip

_NAME_HINTS = ("key", "token", "secret", "pass", "pwd", "cred", "login", "api", "wandb")
# What stands before a value: name = value, "name": "value", "name", "value" and --name value. Possessive, so
# that the time is linear in the text.
_NAME = re.compile(
    r"""(?P<quote>["'])? (?<![\w.-]) (?P<name>(?P<flag>--)?[\w.-]++)
    (?: \\?["']?\]?[ \t]*(?::=|:|=(?!=))[ \t]*
      | (?(quote)["'][ \t]*,[ \t]*(?=["'])|(?!)) | (?(flag)[ \t]+(?!-)|(?!)) )""",
    re.VERBOSE,
)
# In quotes, up to their end; in the escaped quotes of a text within a text; a list or dict of such; or up to a space,
# without closing brackets.
_VALUE = re.compile(
    r"""[bBrRfFuU]{0,2}(?: "(?P<double>(?:[^"\\\n]|\\.)*+) | '(?P<single>(?:[^'\\\n]|\\.)*+) )
      | \\["'](?P<escaped>[^"'\\\n]*+)
      | (?P<nested>[{\[][^{}\[\]]{1,2000}[}\]])
      | (?P<plain>(?:[^\s"'\\]|\\(?!["'])){1,1000})(?<![,;)}\]])""",
    re.VERBOSE,
)
_CODE = re.compile(
    r"None|True|False|null|true|false|str|int|bool|float|bytes|Any|\*+|\.+|\$\{?[A-Z_]+\}?|<\w+>"
    r"|(?:os|self|cls|args|config|settings|getpass)\.[\w.]+[(\[]?|getpass\(?"
)
