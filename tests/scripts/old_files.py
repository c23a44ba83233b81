"""Old datasets and snapshots, made by Python's and torch's own writers in a process of its own."""

import subprocess
import sys
from pathlib import Path

CODE = """
import collections, pickle, numpy as np, torch

generator = np.random.default_rng(0)
rows = generator.normal(size=(30, 3))
columns = {
    "observations": rows, "actions": np.asfortranarray(generator.normal(size=(30, 2)).astype(">f4")),
    "rewards": generator.normal(size=(30, 1)), "terminals": (np.arange(30) == 9)[:, None].astype(np.uint8),
    "next_observations": np.concatenate([rows[1:20], rows[:1], rows[21:], rows[:1]]),
    "env_infos": [{"x": 1}, None], "scale": np.float64(2.5), "nothing": np.zeros((0, 2)), "name": "hopper",
}

def dump(name, value, protocol=4):
    with open(name, "wb") as file:
        pickle.dump(value, file, protocol)

for protocol in range(6):
    dump(f"protocol{protocol}.pkl", columns, protocol)
dump("paths.pkl", [{key: columns[key][a:b] for key in list(columns)[:5]} for a, b in ((0, 10), (10, 20), (20, 30))])
dump("rows.pkl", np.concatenate([columns[key] for key in list(columns)[:5]], axis=1))
dump("class.pkl", [collections.Counter("a")])
dump("objects.pkl", {"observations": np.array([[1], [2, 3]], object)})

layer = torch.nn.Linear(3, 2)
torch.nn.init.constant_(layer.weight, 1.5), torch.nn.init.constant_(layer.bias, 0)
optimizer = torch.optim.Adam(layer.parameters())
layer(torch.ones(1, 3)).sum().backward()
state = {
    "policy": layer.state_dict(), "optimizer": optimizer.state_dict(), "weight": layer.weight, "epoch": 3,
    "shape": (1, 2.5, None, True, "x"), "array": np.arange(3), "column": torch.arange(6).reshape(2, 3)[:, 1],
    "flags": torch.tensor([True, False]), "half": torch.ones(2, dtype=torch.bfloat16), "none": torch.zeros(0, 3),
    7: np.float32(2),
}
torch.save(state, "state.pt")
torch.save({"policy": layer}, "module.pt")
torch.save(state, "legacy.pt", _use_new_zipfile_serialization=False)
"""


def write_old_files(folder: Path) -> Path:
    """protocol0.pkl .. protocol5.pkl, paths.pkl, rows.pkl, class.pkl, objects.pkl, state.pt, module.pt, legacy.pt."""
    subprocess.run([sys.executable, "-c", CODE], cwd=folder, check=True)
    return folder
