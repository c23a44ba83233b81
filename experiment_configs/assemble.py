"""From an ExperimentConfig to an RLAlgorithm: the one place where concrete parts of all layers meet."""

from pathlib import Path

import torch

from experiment_configs.agents import BUILDERS
from experiment_configs.datasets import check_goals_are_told, dataset_identity, open_dataset
from experiment_configs.experiment import ExperimentConfig
from experiment_configs.measures import build_measures
from experiment_configs.needs import check_batches, check_goals
from experiment_configs.run import Run, open_logger
from lifelong_rl.config import ConfigError, resolve, to_dict
from lifelong_rl.data.episodes import EpisodeStore
from lifelong_rl.data.samplers import HindsightSampler, MixedSampler, split_batch
from lifelong_rl.envs.guard import Guarded
from lifelong_rl.envs.on_device import on_device
from lifelong_rl.envs.registry import builder_of, make_task, said_todays_name
from lifelong_rl.envs.workers import WorkerConfig, WorkerTask
from lifelong_rl.exploration import GaussianNoise, RandomActions, RandomPolicy
from lifelong_rl.goals.environment import EnvironmentGoals
from lifelong_rl.recording.snapshot import load_snapshot
from lifelong_rl.recording.state_tree import check_shapes
from lifelong_rl.recording.timer import Timer
from lifelong_rl.seeding import Seeds
from lifelong_rl.training.collector import Collector
from lifelong_rl.training.phase import Phase
from lifelong_rl.training.rl_algorithm import Film, PhaseParts, RLAlgorithm
from lifelong_rl.types import Agent, Sampler, Stateful, Task, TaskSpec


def build(config: ExperimentConfig, run_dir: Path) -> Run:
    """Everything of one run; it goes on from the newest snapshot in `run_dir`, if there is one."""
    _check_device(config.device)
    torch.set_num_threads(config.num_threads)
    precision = "bf16" if config.matmul_precision == "bfloat16" else "ieee"
    torch.backends.mkldnn.matmul.fp32_precision = precision  # type: ignore[attr-defined]
    seeds = Seeds(config.seed)
    seeds.seed_globals()
    task = _collected_task(config, seeds)
    agent = build_agent(config, task.spec, seeds)
    check_batches(config, task.spec)
    if config.initialize_from is not None:
        _initialize(agent, Path(config.initialize_from))

    replay = EpisodeStore(config.replay_capacity, config.num_envs, config.device)
    dataset = identity = None
    if config.dataset is not None and any(phase.dataset_share > 0 for phase in config.phases):
        dataset = open_dataset(config.dataset, config.task, task.spec, config.device)
        check_goals_are_told(config.dataset, dataset, config.sampler.goals)
        identity = dataset_identity(config.dataset)
    collector = Collector(task, EnvironmentGoals(), replay)
    measures = build_measures(config, agent)
    logger, timer = open_logger(config, run_dir), Timer()
    parts: dict[str, Stateful] = {
        "agent": agent, "replay": replay, "collector": collector, "task": task, "logger": logger, "timer": timer,
    }  # fmt: skip
    phases = [
        _phase_parts(config, phase, agent, task.spec, dataset, replay, seeds, _film(config, phase, run_dir))
        for phase in config.phases
    ]
    algorithm = RLAlgorithm(
        agent=agent, phases=phases, collector=collector, measures=measures, parts=parts, seeds=seeds,
        num_transitions=lambda: len(replay),
    )  # fmt: skip
    run = Run(config=config, run_dir=run_dir, algorithm=algorithm, logger=logger, timer=timer, dataset=identity)
    return run.resumed()


def build_task(config: ExperimentConfig, num_envs: int, seeds: Seeds, name: str, *, random_goals: bool) -> Task:
    """N environments of the config's task in this process, on the CPU, with a generator of their own."""
    return make_task(
        config.task.name, num_envs=num_envs, generator=seeds.numpy(name), random_goals=random_goals,
        layout=config.task.layout, horizon=config.task.horizon,
    )  # fmt: skip


def _collected_task(config: ExperimentConfig, seeds: Seeds) -> Task:
    """What the run collects from: watched, or in processes that it outlives."""
    random_goals, chosen = config.collect_goals == "multi", config.task
    if not chosen.num_workers:
        task = build_task(config, config.num_envs, seeds, "task", random_goals=random_goals)
        return on_device(Guarded(task, chosen.step_timeout), config.device)
    options = {
        "name": said_todays_name(chosen.name), "random_goals": random_goals, "layout": chosen.layout,
        "horizon": chosen.horizon, "num_threads": 1,
    }  # fmt: skip
    workers = WorkerConfig(num_workers=chosen.num_workers, step_timeout=chosen.step_timeout)
    seed = seeds.integer("task")
    in_workers = WorkerTask(builder_of(chosen.name), options, num_envs=config.num_envs, seed=seed, config=workers)
    return on_device(in_workers, config.device)


def build_agent(config: ExperimentConfig, spec: TaskSpec, seeds: Seeds) -> Agent:
    """The agent, its networks drawn from the run's seed."""
    name = to_dict(config)["agent"]["name"]
    check_goals(name, spec)
    with torch.random.fork_rng(devices=[]):  # networks are drawn on the CPU, then moved
        torch.manual_seed(seeds.integer("networks"))
        return resolve(BUILDERS[name])(config.agent, spec, seeds, config.device)


def _check_device(device: str) -> None:
    """That torch sees it here, which may be another machine than the one that launched the run."""
    count, index = torch.cuda.device_count(), torch.device(device).index or 0
    if device != "cpu" and index >= count:
        shown = f"{count} GPUs, cuda:0 to cuda:{count - 1}" if count > 1 else "one GPU, cuda:0" if count else "no GPU"
        raise ConfigError(f"variant.device is {device!r}, but this torch ({torch.__version__}) sees {shown}.")


def _initialize(agent: Agent, snapshot: Path) -> None:
    """Takes over the agent of a finished run's snapshot; its data and counters stay behind."""
    state = load_snapshot(snapshot).parts["agent"]
    check_shapes(agent.state_dict(), state, f"{snapshot}: agent")
    agent.load_state_dict(state)


def _phase_parts(
    config: ExperimentConfig, phase: Phase, agent: Agent, spec: TaskSpec, dataset: EpisodeStore | None,
    replay: EpisodeStore, seeds: Seeds, film: Film | None,
) -> PhaseParts:  # fmt: skip
    generator = seeds.torch("exploration", config.device)
    behaviour = agent.policy(explore=phase.explores)
    if phase.exploration_noise:
        if spec.discrete:
            raise ConfigError(f"variant.phases ({phase.name}): exploration_noise is for continuous actions only.")
        behaviour = GaussianNoise(behaviour, phase.exploration_noise, spec, generator)
    if phase.random_action_fraction:
        behaviour = RandomActions(behaviour, phase.random_action_fraction, spec, generator)
    sizes = split_batch(config.sampler.batch_size, phase.dataset_share)
    samplers: list[Sampler] = [
        HindsightSampler(
            store, config.sampler.goals, seeds.torch(f"sampler of {name}", config.device), batch_size=size,
            reward_fn=spec.reward_fn, discount=config.sampler.discount, n_step=phase.n_step or config.sampler.n_step,
            mean_action=config.sampler.mean_action, waypoint_steps=config.sampler.waypoint_steps,
            still_redraws=config.sampler.still_redraws, still_distance=config.sampler.still_distance,
        )
        for name, store, size in zip(("dataset", "replay"), (dataset, replay), sizes, strict=True)
        if size and store is not None
    ]  # fmt: skip
    sampler = samplers[0] if len(samplers) == 1 else MixedSampler(samplers, seeds.torch("mixture", config.device))
    random = RandomPolicy(spec, generator)
    return PhaseParts(phase=phase, sampler=sampler, behaviour=behaviour, random=random, film=film)


def _film(config: ExperimentConfig, phase: Phase, run_dir: Path) -> Film | None:
    if not phase.film_episodes:
        return None
    from experiment_configs.films import SnapshotFilm  # and what draws: other runs need none of it

    return SnapshotFilm(config, run_dir, phase.film_episodes)
