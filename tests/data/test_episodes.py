"""The store against a list of lists."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.types import Step


def make_step(time: int, episode: list[int], ended: list[bool]) -> Step:
    """Every value tells the environment, time and episode that it belongs to."""
    num_envs = len(ended)
    here = torch.tensor([[time, env, episode[env]] for env in range(num_envs)], dtype=torch.float64)
    zeros = torch.zeros(num_envs)
    goal = here[:, :2]
    return Step(
        observation=here,
        action=here,
        reward=zeros,
        next_observation=here + torch.tensor([1.0, 0, 0]),
        next_achieved_goal=goal,
        goal=goal,
        desired_goal=goal,
        terminated=torch.tensor(ended),
        ended=torch.tensor(ended),
    )


class ListStore:
    """What the store should say, by definition: rows (time, environment, episode), all ever added."""

    def __init__(self, num_steps: int, num_envs: int) -> None:
        self.num_steps, self.num_envs = num_steps, num_envs
        self.rows: list[list[int]] = []  # [time][environment] = episode
        self.episode = [0] * num_envs

    def add(self, ended: list[bool]) -> None:
        self.rows.append(list(self.episode))
        self.begin(ended)

    def begin(self, ended: list[bool]) -> None:
        self.episode = [episode + end for episode, end in zip(self.episode, ended, strict=True)]

    def cut(self) -> None:
        last = self.rows[-1] if self.rows else [-1] * self.num_envs
        self.begin([last[env] == self.episode[env] for env in range(self.num_envs)])

    def held(self) -> range:
        return range(max(0, len(self.rows) - self.num_steps), len(self.rows))

    def span(self, time: int, env: int) -> tuple[int, int]:
        same = [t for t in self.held() if self.rows[t][env] == self.rows[time][env]]
        return same[0], same[-1] + 1


def assert_agrees(store: EpisodeStore, model: ListStore) -> None:
    assert len(store) == len(model.held()) * model.num_envs
    assert store.num_steps_added == len(model.rows) * model.num_envs
    assert store.num_episodes == sum(model.episode)
    if not len(store):
        return
    index = store.indices()
    where = [(t, e) for t in model.held() for e in range(model.num_envs)]
    assert index.tolist() == [t * model.num_envs + e for t, e in where]
    assert store.at("observation", index).tolist() == [[t, e, model.rows[t][e]] for t, e in where]
    assert store.start_of_episode(index).tolist() == [model.span(t, e)[0] for t, e in where]
    assert store.end_of_episode(index).tolist() == [model.span(t, e)[1] for t, e in where]
    starts = [t * model.num_envs + e for t, e in where if model.span(t, e)[0] == t]
    assert store.first_indices().tolist() == starts


@st.composite
def histories(draw):
    """Environments, slots and a list of operations: a step's ended flags, or None for a cut."""
    num_envs = draw(st.integers(1, 4))
    num_steps = draw(st.integers(1, 7))
    probability = draw(st.sampled_from([0.02, 0.3, 0.9]))
    flags = st.lists(st.floats(0, 1).map(lambda x: x < probability), min_size=num_envs, max_size=num_envs)
    steps = draw(st.lists(st.one_of(flags, flags, flags, st.none()), max_size=40))
    return num_envs, num_steps, steps


def play(store: EpisodeStore, model: ListStore, steps: list) -> None:
    for ended in steps:
        if ended is None:
            store.cut()
            model.cut()
        else:
            store.add(make_step(len(model.rows), model.episode, ended))
            model.add(ended)


@settings(max_examples=150, deadline=None)
@given(histories())
def test_store_agrees_with_a_list_of_all_steps_however_the_ring_wraps(history):
    num_envs, num_steps, steps = history
    store, model = EpisodeStore(num_steps * num_envs, num_envs), ListStore(num_steps, num_envs)
    for operation in steps:
        play(store, model, [operation])
        assert_agrees(store, model)


@settings(max_examples=60, deadline=None)
@given(histories(), st.integers(1, 9))
def test_extend_stores_what_adding_step_by_step_stores(history, piece):
    num_envs, num_steps, steps = history
    ended = [flags for flags in steps if flags is not None]
    store, model = EpisodeStore(num_steps * num_envs, num_envs), ListStore(num_steps, num_envs)
    for first in range(0, len(ended), piece):
        rows = []
        for flags in ended[first : first + piece]:
            rows.append([[len(model.rows), env, model.episode[env]] for env in range(num_envs)])
            model.add(flags)
        column, flags = torch.tensor(rows, dtype=torch.float64), torch.tensor(ended[first : first + piece])
        alone = num_envs == 1
        store.extend({"observation": column[:, 0] if alone else column}, flags[:, 0] if alone else flags)
        assert_agrees(store, model)


@settings(max_examples=60, deadline=None)
@given(histories(), histories(), st.integers(0, 5))
def test_restored_store_goes_on_as_the_saved_one_would_have(before, after, more):
    num_envs, num_steps, steps = before
    later = [None if s is None else [s[env % len(s)] for env in range(num_envs)] for s in after[2]]
    store, model = EpisodeStore(num_steps * num_envs, num_envs), ListStore(num_steps, num_envs)
    play(store, model, steps)
    restored = EpisodeStore(num_steps * num_envs, num_envs)
    restored.load_state_dict(store.state_dict())
    play(restored, model, later)
    assert_agrees(restored, model)

    larger = EpisodeStore((num_steps + more) * num_envs, num_envs)
    larger.load_state_dict(restored.state_dict())
    index = restored.indices()
    assert torch.equal(larger.indices(), index)
    if len(index):
        assert torch.equal(larger.end_of_episode(index), restored.end_of_episode(index))
        assert torch.equal(larger.start_of_episode(index), restored.start_of_episode(index))
        assert torch.equal(larger.at("action", index), restored.at("action", index))


def filled(num_steps: int = 10, num_envs: int = 2) -> EpisodeStore:
    store, model = EpisodeStore(num_steps * num_envs, num_envs), ListStore(num_steps, num_envs)
    play(store, model, [[False] * num_envs] * 3 + [[True] * num_envs] + [[False] * num_envs] * 2)
    return store


def test_state_holds_only_the_rows_in_use():
    log = filled(num_steps=1000).state_dict()["columns"]["observation"]
    assert (log.first, log.last) == (0, 6) and log.read(0, 6).shape == (6, 2, 3)
    again = filled(num_steps=4).state_dict()["columns"]["observation"]
    assert (again.first, again.last) == (2, 6) and torch.equal(again.read(2, 6), log.read(2, 6))


def test_open_episode_can_be_read_up_to_now():
    index = torch.tensor([9])  # time 4 of environment 1
    assert filled().end_of_episode(index).item() == 6
    assert filled().steps_left(index).item() == 2


def test_an_episode_is_found_from_any_of_its_steps():
    assert filled().episode_of(5).tolist() == [1, 3, 5, 7]
    assert filled().episode_of(11).tolist() == [9, 11]


def test_random_indices_cover_exactly_what_is_held():
    store, model = EpisodeStore(8, 2), ListStore(4, 2)
    play(store, model, [[False, False]] * 7)
    drawn = store.random_indices(torch.Generator().manual_seed(0), 1000)
    assert sorted(set(drawn.tolist())) == list(range(6, 14))


def test_missing_cost_reads_as_one():
    assert filled().at("cost", torch.tensor([0, 5])).tolist() == [1, 1]


def test_an_empty_store_says_so():
    with pytest.raises(ValueError, match="no step has been stored"):
        EpisodeStore(5).random_indices(torch.Generator(), 1)


def test_a_step_of_another_shape_is_refused_by_name():
    store = filled(num_envs=2)
    with pytest.raises(ValueError, match=r"column 'observation' of one step must have shape \(2, 3\), got \(3, 3\)"):
        store.add(make_step(0, [0, 0, 0], [False, False, False]))


def test_a_snapshot_of_another_number_of_environments_is_refused():
    with pytest.raises(ValueError, match="6 saved steps of 2 environments do not fit 10 steps of 3"):
        EpisodeStore(30, 3).load_state_dict(filled().state_dict())


def test_an_unknown_column_is_named_with_those_that_exist():
    with pytest.raises(KeyError, match="no column 'sim_state'; it holds observation, action"):
        filled().at("sim_state", torch.tensor([0]))
