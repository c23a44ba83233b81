"""Where runs can run: name -> "module:Class". An engine only ever executes `python -m experiment_utils.job RUN_DIR`."""

from typing import TYPE_CHECKING, cast

from lifelong_rl.config import resolve

if TYPE_CHECKING:
    from experiment_utils.launchers.launcher import Launcher
    from experiment_utils.launchers.options import Options

LAUNCHERS = {
    "here": "experiment_utils.launchers.here:HereLauncher",
    "local": "experiment_utils.launchers.local:LocalLauncher",
    "local_par": "experiment_utils.launchers.ray_pool:LocalParLauncher",
    "multi_gpu": "experiment_utils.launchers.ray_pool:MultiGpuLauncher",
    "ray": "experiment_utils.launchers.ray_pool:RayLauncher",
    "ssh": "experiment_utils.launchers.ssh:SshLauncher",
    "slurm": "experiment_utils.launchers.slurm:SlurmLauncher",
    "ec2": "experiment_utils.launchers.ec2:Ec2Launcher",
    "sky": "experiment_utils.launchers.sky:SkyLauncher",
}


def launcher_of(mode: str, options: "Options") -> "Launcher":
    """The engine of that name."""
    return cast("Launcher", resolve(LAUNCHERS[mode])(options))
