"""Credentials are masked in texts and in trees, and what only sounds like one stays readable."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifelong_rl.secrets import LineMask, known_secrets, mask_secrets, mask_values, mask_words

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SECRET_TEXTS = [
    f"+WANDB_API_KEY={COMMIT}",
    f"wandb: logging in with {COMMIT}",
    '+api_key = "hunter2hunter2"',
    "+  password: correct-horse",
    '{"seed": 0, "apiKey": "hunter2"}',
    '"{\\"api_key\\": \\"hunter2\\", \\"seed\\": 3}"',
    "{'password': b'hunter2'}",
    'os.environ.get("API_KEY", "hunter2")',
    'os.environ["API_KEY"] = "hunter2"',
    "f(rate=1, password=hunter2)",
    "agent=api_key=hunter2",
    "python run.py --api-key hunter2hunter2",
    "HF_TOKEN=hunter2",
    "+Authorization: Bearer abcdef12345",
    "curl -H 'Authorization: token hunter2' x",
    "sent bearer abcdefghij12345",
    "+token = 'a1b2c3d4e5f6a7b8c9'",
    "key AKIAABCDEFGHIJKLMNOP",
    "hf_abcdefghijklmnopqrstuvwx",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "Incorrect API key provided: sk-proj-hunter2hunter2hunter2",
    "xoxb-0123456789abcdef-hunter2",
    "eyJhbGciOiJIUzI1NiJ9.eyJhunter2hunter2.abc-def",
    "https://user:hunter2@example.org/x.git",
    "https://user:hun/hunter2@x.org@example.org/x.git",
    "https://x.org/?a=1&access_token=hunter2",
    "https://x.org/?a=1&X-Amz-Signature=hunter2",
    "machine api.wandb.ai login user password hunter2hunter2",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\\nhunter2abcdefghijhunter2\\nabcdefghijhunter2hunter2",
]
FRAGMENTS = ("hunter2", "0123456789abcdef", "correct-horse", "abcdef12345", "a1b2c3d4", "AKIAABC", "abcdefghij")

BENIGN_TEXTS = [
    "+num_tokens = 128",
    "+use_cls_token = True",
    "+max_new_tokens: int = 1024",
    "+token: str",
    "+token = next_token(tokens)",
    "+password: str | None = None",
    '+api_key = os.environ["WANDB_API_KEY"]',
    "+def f(token, key): return token[key]",
    "+monkey = turkey",
    "+key_size = 128, keyboard = us",
    "+sorted(values, key=operator)",
    "+batch.observation[key]: Tensor",
    "index 0123456..89abcde 100644",
    f"commit {COMMIT}",
    f"wandb 0.31, api and key at commit {COMMIT}",
    f"{COMMIT} the wandb api key is masked",
    "the secretary keeps a secret diary",
    "tokenizer: bert-base-uncased-2018",
    "the password must not be empty",
    'ExternalLink("/etc/passwd", "observations")',
    '"secret_names": set()',
    "https://example.org/a@b",
    "http://localhost:8080/a@b?c=d",
    "ssh://git@github.com:22/a/b.git",
    "sk-learn-contrib and disk-usage-of-partition-12345678",
    "hf_transfer_enabled_for_all_downloads",
    "python run_scripts/qrl_maze.py -s agent.learning_rate=1e-4",
]
BENIGN_TREE = {
    "num_tokens": "128", "use_cls_token": "yes", "max_new_tokens": "1024", "pad_token": "<pad>", "eos_token": "</s>",
    "mask_token": "[MASK]", "cls_token": "[CLS]", "goal_token": "goal", "tokenizer": "bert-base-uncased-2018",
    "tokenizer_name": "gpt2-medium-tokenizer-v2", "tokens": ["push", "pull"], "key": "success_rate", "keys": ["a", "b"],
    "key_size": "128", "keyboard": "us", "keypoint": "elbow", "monkey": "turkey", "sort_key": "env_steps",
    "goal_key": "desired_goal", "observation_key": "antmaze-large-diverse-v2", "secretary": "Ms. Moneypenny",
    "author": "A. Person", "authority": "none", "password_file": "a.txt", "secret_path": "b", "token": 3,
    "commit": COMMIT, "wandb_commit": COMMIT, "api_version": "v1beta20240101preview2", "passes": "two",
}  # fmt: skip


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_a_text_is_masked_where_it_looks_like_a_credential(text):
    masked = mask_secrets(text)
    assert "***" in masked
    assert not [fragment for fragment in FRAGMENTS if fragment in masked]


def test_what_is_benign_stays_as_it_is():
    assert len(BENIGN_TEXTS) + len(BENIGN_TREE) >= 50
    assert [text for text in BENIGN_TEXTS if mask_secrets(text) != text] == []
    assert mask_values(BENIGN_TREE) == BENIGN_TREE


def test_only_the_value_goes_and_the_rest_of_the_line_stays():
    assert mask_secrets("f(password=hunter2), lr = 3") == "f(password=***), lr = 3"
    assert mask_secrets("clone https://u:hunter2@x.org/a.git now") == "clone https://***@x.org/a.git now"


def test_a_tree_keeps_its_shape_and_loses_what_stands_under_a_credentials_name():
    tree = {
        "agent": {"api_key": "hunter2", "num_tokens": 3, "learning_rate": 1e-3},
        "credentials": {"user": "me", "parts": ["hunter2", 5, None]},
        "hf-token": "hunter2", "authToken": "hunter2", "db.password": "hunter2", "empty_password": "",
        "notes": ["see https://u:hunter2@x.org", "nothing"],
        "wandb": {"login": COMMIT}, "sort_key": "a1b2c3d4e5f6a7b8c9",
        "hf_abcdefghijklmnopqrstuvwx": 1,
    }  # fmt: skip
    assert mask_values(tree) == {
        "agent": {"api_key": "***", "num_tokens": 3, "learning_rate": 1e-3},
        "credentials": {"user": "***", "parts": ["***", 5, None]},
        "hf-token": "***", "authToken": "***", "db.password": "***", "empty_password": "",
        "notes": ["see https://***@x.org", "nothing"],
        "wandb": {"login": "***"}, "sort_key": "***",
        "***": 1,
    }  # fmt: skip


def test_what_the_environment_holds_under_a_credentials_name_is_masked_wherever_it_stands(monkeypatch):
    monkeypatch.setenv("MY_SERVICE_TOKEN", "plain words/of mine")
    monkeypatch.setenv("DB_PASSWORD", "short")
    monkeypatch.setenv("NUM_TOKENS", "ordinary")
    assert mask_secrets("a plain words/of mine b") == "a *** b"
    assert mask_secrets("?q=plain%20words%2Fof%20mine&x") == "?q=***&x"
    assert mask_values({"note": "(plain words/of mine)"}) == {"note": "(***)"}
    assert mask_secrets("short and ordinary") == "short and ordinary"


def test_the_working_directory_is_no_password():
    assert known_secrets({"PWD": "/home/me/project", "OLDPWD": "/home/me/other", "DB_PWD": "hunter2hunter2"}) == (
        "hunter2hunter2",
    )


def test_a_command_keeps_its_words_but_not_what_follows_a_credentials_flag():
    words = ["run.py", "--password", "two words", "-s", "agent.api_key=two words", "--seed", "3", "https://u:p@x"]
    masked = ["run.py", "--password", "***", "-s", "agent.api_key=***", "--seed", "3", "https://***@x"]
    assert mask_words(words) == masked


def test_a_key_over_many_lines_is_masked_to_its_end_and_not_beyond():
    mask = LineMask()
    lines = ["-----BEGIN PRIVATE KEY-----\n", "TUlJRXZR\n", "aHVudGVyMg==\n", "-----END PRIVATE KEY-----\n", "goal\n"]
    masked = [mask(line) for line in lines]
    assert "TUlJRXZR" not in "".join(masked)
    assert "aHVudGVyMg" not in "".join(masked)
    assert masked[-1] == "goal\n"


@given(st.text() | st.sampled_from(SECRET_TEXTS + BENIGN_TEXTS))
def test_masking_twice_is_masking_once(text):
    once = mask_secrets(text, ())
    assert mask_secrets(once, ()) == once


@pytest.mark.parametrize("piece", ["key=ab1,", "://", "://a:", '"key', "-----BEGIN PRIVATE KEY-----", "wandb ", "++"])
def test_the_time_is_linear_in_the_text_even_where_it_was_made_to_take_long(piece):
    start = time.process_time()
    mask_secrets(piece * 5000, ())
    assert time.process_time() - start < 5
