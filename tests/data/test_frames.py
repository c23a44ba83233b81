"""Pictures in a store: read back as they were written, held once, through rings, growth and snapshots."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lifelong_rl.data.columns import Columns
from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.data.frames import Frames
from lifelong_rl.data.hindsight import HindsightConfig
from lifelong_rl.data.samplers import HindsightSampler
from lifelong_rl.recording.snapshot import load_snapshot, save_snapshot
from lifelong_rl.types import RowLog, Step

COLUMNS = ("observation", "next_observation", "next_achieved_goal", "goal", "desired_goal")


def picture(*numbers: int, size: int = 4) -> torch.Tensor:
    """[N, size, size, 3], all bytes the number."""
    return torch.tensor(numbers, dtype=torch.uint8).reshape(-1, 1, 1, 1).expand(-1, size, size, 3).contiguous()


class Player:
    """Plays episodes of pictures in N environments into a store, and remembers all that it wrote."""

    def __init__(self, store: EpisodeStore, seed: int = 0) -> None:
        self.store, self._generator = store, torch.Generator().manual_seed(seed)
        self.written: list[dict[str, torch.Tensor]] = []
        self.now, self.goal = self.fresh(), self.fresh()

    def fresh(self) -> torch.Tensor:
        return torch.randint(256, (self.store.num_envs, 4, 4, 3), dtype=torch.uint8, generator=self._generator)

    def step(self, ended: list[bool], told: torch.Tensor | None = None) -> None:
        after, zeros, where = self.fresh(), torch.zeros(self.store.num_envs), torch.tensor(ended)
        row = {
            "observation": self.now, "next_observation": after, "next_achieved_goal": after,
            "goal": self.goal if told is None else told, "desired_goal": self.goal,
        }  # fmt: skip
        self.store.add(Step(**row, action=zeros[:, None], reward=zeros, terminated=where & False, ended=where))
        self.written.append(row)
        mask = where[:, None, None, None]
        self.now, self.goal = torch.where(mask, self.fresh(), after), torch.where(mask, self.fresh(), self.goal)

    def check(self, store: EpisodeStore) -> None:
        index = store.indices()
        for name in COLUMNS:
            wanted = torch.stack([row[name] for row in self.written]).flatten(0, 1)[index]
            assert torch.equal(store.at(name, index), wanted), name


def frames_of(store: EpisodeStore) -> Frames:
    frames = store._columns._frames
    assert frames is not None
    return frames


steps = st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=30)


@given(st.integers(1, 6), steps, steps)
def test_what_was_written_is_read_back_whatever_the_ring_and_after_a_snapshot(num_steps, first, second):
    store = EpisodeStore(2 * num_steps, 2)
    player = Player(store)
    for *ended, told in first:
        player.step(ended, player.fresh() if told else None)
    player.check(store) if first else None
    restored = EpisodeStore(2 * num_steps, 2)
    restored.load_state_dict(store.state_dict())
    player.store = restored
    for *ended, told in second:
        player.step(ended, player.fresh() if told else None)
    player.check(restored) if first + second else None


def test_an_episode_holds_one_picture_a_step_and_its_start_and_goal():
    store = EpisodeStore(10_000, 2)
    player = Player(store)
    for step in range(1, 101):
        player.step([step % 50 == 0] * 2)
    assert frames_of(store).last == 2 * (100 + 2 * 2)


def test_a_ring_that_overflows_forgets_pictures_and_grows_no_further():
    store = EpisodeStore(1600, 2)
    player = Player(store)
    for step in range(1, 2001):
        player.step([step % 25 == 0] * 2)
    frames = frames_of(store)
    store.state_dict()
    assert frames.room == 1600 + 200 + 100
    assert 1600 * 27 / 25 <= frames.last - frames.first <= 1600 * 27 / 25 + 100
    player.check(store)


def test_a_goal_that_never_changes_does_not_keep_all_pictures_since():
    store = EpisodeStore(1600, 2)
    player, goal = Player(store), picture(1, 2)
    for _ in range(2000):
        player.goal = goal
        player.step([False, False])
    assert frames_of(store).room == 1900
    player.check(store)


def test_a_ring_of_pictures_grows_where_goals_change_at_every_step():
    store = EpisodeStore(64, 2)
    player = Player(store)
    for _ in range(100):
        player.step([True, False], player.fresh())
    assert frames_of(store).room > 64 + 8 + 32
    player.check(store)


def test_rows_written_at_once_are_the_same_as_rows_written_one_by_one():
    store, at_once = EpisodeStore(8, 2), EpisodeStore(8, 2)
    player = Player(store)
    ends = [[step % 3 == 0, step % 4 == 0] for step in range(1, 11)]
    for ended in ends:
        player.step(ended)
    columns = {name: torch.stack([row[name] for row in player.written]) for name in COLUMNS}
    at_once.extend(columns, torch.tensor(ends))
    player.check(at_once)
    assert torch.equal(at_once.end_of_episode(store.indices()), store.end_of_episode(store.indices()))


def test_batches_hold_the_pictures_of_their_steps():
    store = EpisodeStore(100, 2)
    player = Player(store)
    for step in range(1, 41):
        player.step([step % 10 == 0] * 2)
    sampler = HindsightSampler(store, HindsightConfig(future=1.0), torch.Generator().manual_seed(0), batch_size=64)
    batch = sampler.sample()
    assert batch.observation.dtype == torch.uint8 and batch.observation.shape == (64, 4, 4, 3)
    assert torch.equal(batch.goal, batch.goal_observation)  # a goal is a state here
    last = batch.steps_to_goal == 1
    assert last.any() and torch.equal(batch.goal[last], batch.next_observation[last])


def test_a_snapshot_on_disk_restores_the_pictures_and_is_written_once(tmp_path):
    store = EpisodeStore(100, 2)
    player = Player(store)
    for step in range(1, 21):
        player.step([step % 10 == 0] * 2)
    save_snapshot(tmp_path / "itr_1", {"replay": store.state_dict()}, {})
    restored = EpisodeStore(100, 2)
    restored.load_state_dict(load_snapshot(tmp_path / "itr_1").parts["replay"])
    player.check(restored)
    assert frames_of(restored).last == frames_of(store).last


def test_pictures_of_another_shape_and_forged_numbers_are_refused():
    columns = Columns(4, 1, torch.device("cpu"))
    columns.write_row(0, {"observation": picture(1)}, 0)
    with pytest.raises(ValueError, match=r"got observation \(5, 5, 3\); the store holds observation as pictures"):
        columns.write_row(1, {"observation": picture(1, size=5)}, 0)
    state = columns.state_dict(0, 1)
    forged = state | {"columns": {"observation": RowLog(0, 1, lambda start, stop: torch.full((1, 1), 7))}}
    with pytest.raises(ValueError, match="names pictures that the snapshot lacks; it holds pictures 0 to 0"):
        Columns(4, 1, torch.device("cpu")).load_state_dict(forged, 0, 1)
    forged = state | {"frames": {"columns": ["observation"], "pictures": RowLog(0, 1, lambda *_: torch.zeros(1, 4))}}
    with pytest.raises(ValueError, match=r"saved pictures are \[1, 4\] torch.float32, expected"):
        Columns(4, 1, torch.device("cpu")).load_state_dict(forged, 0, 1)
