"""Which names a credential stands under: `api_key`, `HF_TOKEN` and `password`, but not `num_tokens` or `key_size`.

Names are read as words: `api_key`, `apiKey` and `agent.--api-key` all end in ("api", "key").
"""

import re

_ALWAYS = {
    "password", "passwd", "passphrase", "secret", "secrets", "authorization", "credential", "credentials",
    "apikey", "accesskey", "privatekey", "secretkey", "authtoken", "accesstoken",
}  # fmt: skip
_BEFORE_KEY = {
    "access", "account", "api", "auth", "deploy", "encryption", "hub", "license", "master", "private", "secret",
    "service", "shared", "signing", "ssh", "storage", "wandb",
}  # fmt: skip
_BEFORE_TOKENS = {"access", "api", "auth", "bearer", "oauth", "refresh", "secret", "session"}
_TOKENS_OF_TEXT = {
    "action", "bos", "class", "cls", "context", "current", "end", "eos", "extra", "first", "goal", "image", "input",
    "last", "mask", "new", "next", "num", "observation", "output", "pad", "per", "previous", "prompt", "query",
    "register", "reward", "sep", "special", "start", "state", "stop", "target", "text", "unk",
}  # fmt: skip
_ABOUT = {
    "class", "count", "dim", "dir", "directory", "enabled", "env", "file", "folder", "format", "id", "len", "length",
    "limit", "manager", "mode", "name", "path", "policy", "provider", "required", "size", "type", "url", "version",
}  # fmt: skip
_OF_KEYS = {"api", "key", "keys", "login", "token", "tokens", "wandb"}
_OF_VERSIONS = {"commit", "fingerprint", "hash", "revision", "sha", "sha1", "sha256"}

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_RANDOM = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9+/]{16,}")


def is_credential_name(name: str) -> bool:
    """Whether a text under this key, flag or variable is a credential, whatever it looks like."""
    words = name_words(name)
    if not words or not _ABOUT.isdisjoint((words[-1], words[-1].removesuffix("s"))):
        return False
    before, last = (words[-2] if len(words) > 1 else ""), words[-1]
    if last == "pwd":
        return bool(before)  # PWD by itself is the working directory
    if last in ("key", "keys") and before in _BEFORE_KEY:
        return True
    if last == "token":
        return before not in _TOKENS_OF_TEXT
    if last == "tokens" and before in _BEFORE_TOKENS:
        return True
    return not _ALWAYS.isdisjoint(words)


def may_be_credential(name: str, value: str) -> bool:
    """Whether the name (`goal_key`, `login`) would suit a credential as well, and nobody would type the value."""
    words = set(name_words(name))
    return not words.isdisjoint(_OF_KEYS) and words.isdisjoint(_OF_VERSIONS | _ABOUT) and is_random(value)


def may_be_of_text(name: str) -> bool:
    """Whether it names a token that code may well handle as a piece of text: `token`, but not `access_token`."""
    *before, last = name_words(name)
    return last == "token" and _BEFORE_TOKENS.isdisjoint(before[-1:])


def is_random(value: str) -> bool:
    """Whether a long run of letters mixed with digits stands in it."""
    return _RANDOM.search(value) is not None


def name_words(name: str) -> list[str]:
    """The words of the last part of a dotted name, in lower case."""
    return [word.lower() for word in _WORD.findall(name.rpartition(".")[2])]
