"""The GPUs of this machine that the flags mean."""

import os

from experiment_utils.launchers.options import Options
from lifelong_rl.config import ConfigError


def chosen_gpus(options: Options) -> tuple[str, ...]:
    """CUDA device names, of those that this process may see; none where none were asked for."""
    if not options.num_gpu and options.gpu_id is None:
        if options.num_gpu is None and options.exps_per_gpu > 1:
            raise ConfigError("--exps_per_gpu needs --num_gpu.")
        return ()
    first, count = options.gpu_id or 0, 1 if options.num_gpu is None else options.num_gpu
    if count == 0:
        raise ConfigError("--gpu_id needs a --num_gpu of at least 1.")
    import torch  # slow to import, and only GPUs need it here

    num_present = torch.cuda.device_count()
    if first + count > num_present:
        raise ConfigError(f"GPUs {first} to {first + count - 1} were asked for, but this machine shows {num_present}.")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(index) for index in range(num_present)]
    return tuple(names[first : first + count])
