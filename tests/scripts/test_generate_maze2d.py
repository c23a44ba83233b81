"""The dataset script makes what the reader reads, refuses what is wrong, and replaces nothing unasked."""

from lifelong_rl.data.datasets.load import load_dataset
from lifelong_rl.envs.maze2d import maze2d_spec
from lifelong_rl.envs.maze2d_config import Maze2dConfig
from scripts.generate_maze2d import main


def test_a_generated_file_loads_and_equal_flags_give_equal_bytes(tmp_path):
    first, second = tmp_path / "first.hdf5", tmp_path / "second.hdf5"
    for path in (first, second):
        assert main(["--num_transitions", "3000", "--noisy", "--seed", "4", "--output", str(path)]) == 0
    assert first.read_bytes() == second.read_bytes()
    store = load_dataset(first, maze2d_spec(Maze2dConfig(name="maze2d-umaze-v1")))
    assert 2900 < len(store) < 3000 and store.num_episodes > 10


def test_a_file_that_is_there_is_replaced_only_when_asked(tmp_path, capsys):
    path = tmp_path / "data.hdf5"
    path.write_text("precious")
    assert main(["--num_transitions", "500", "--output", str(path)]) == 2
    assert "exists already; --overwrite replaces it" in capsys.readouterr().err
    assert path.read_text() == "precious"


def test_a_mistyped_task_is_refused_with_the_nearest(tmp_path, capsys):
    assert main(["--task", "maze2d-umze-v1", "--output", str(tmp_path / "x.hdf5")]) == 2
    assert "Did you mean 'maze2d-umaze-v1'?" in capsys.readouterr().err
