"""CPU milliseconds of one update of DDPG, TD3 and SAC, beside plain PyTorch doing the same work.

    python benchmarks/off_policy_update.py [--rounds 40] [--batch_sizes 256 1024] [--width 256]

One thread; ours and the plain one take turns in this process, on the same random batch of FetchReach's sizes. The plain
one has an `nn.Sequential` for each critic, `torch.optim.Adam`, `loss.backward()` and a loop for the target networks.
Figures are of process time: medians, and medians of the ratios of neighbours. The wanted figures are SB3's, measured
where a product of 256 x 256 numbers ran at 130 GFLOP/s by MKL; GFLOP/s is what it runs at here.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from experiment_configs.agents import AGENTS, BUILDERS
from lifelong_rl.config import from_dict, resolve
from lifelong_rl.seeding import Seeds
from lifelong_rl.types import Batch, TaskSpec

OBSERVATION, ACTION, GOAL = 10, 4, 3
DISCOUNT, TARGET_RATE = 0.98, 0.05
WANTED = {"ddpg": 7.5, "td3": 8.2, "sac": 12.0}  # at most so many ms at batch 256


def main() -> None:
    """Prints a line for each agent and batch size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--batch_sizes", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--width", type=int, default=256, help="of the two hidden layers")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("agent batch  ours plain plain/ours  GFLOP/s  (ms of processor time, one thread)")
    for size in arguments.batch_sizes:
        for name in WANTED:
            ours, plain, ratio, speed = measure(name, size, arguments.width, arguments.rounds)
            wanted = f"  wanted: at most {WANTED[name]}" if size == 256 else ""
            print(f"{name:5}{size:6}{ours:6.2f}{plain:6.2f}{ratio:11.2f}{speed:9.1f}{wanted}", flush=True)


def measure(name: str, size: int, width: int, rounds: int) -> tuple[float, float, float, float]:
    """Medians of ours, of the plain one, of their quotient, and of the machine's speed meanwhile."""
    agent, batch = build(name, width), random_batch(size)
    plain = Plain(name, width)
    updates: list[Callable[[Batch], Any]] = [agent.update, plain.update]
    times: list[list[float]] = [[], []]
    speeds = []
    for turn in range(rounds + 5):
        for update, spent in zip(updates, times, strict=True):
            start = time.process_time()
            for _ in range(4):  # two of them with TD3's actor
                update(batch)
            if turn >= 5:
                spent.append((time.process_time() - start) / 4 * 1000)
        speeds.append(product_speed())
    ratios = [theirs / ours for ours, theirs in zip(*times, strict=True)]
    return (*map(statistics.median, times), statistics.median(ratios), statistics.median(speeds))


def product_speed() -> float:
    """GFLOP per second of processor time, of products of two matrices of 256 x 256."""
    a, b, repeats = torch.ones(256, 256), torch.ones(256, 256), 20
    start = time.process_time()
    for _ in range(repeats):
        a @ b
    return repeats * 2 * 256**3 / (time.process_time() - start) / 1e9


def build(name: str, width: int) -> Any:
    """Our agent."""
    spec = TaskSpec(
        name="numbers", observation_shape=(OBSERVATION,), goal_shape=(GOAL,), action_size=ACTION, horizon=50,
        reward_fn=lambda achieved, goal: achieved[..., 0], success_fn=lambda a, g: a[..., 0] > g[..., 0],
    )  # fmt: skip
    sizes = {"hidden_sizes": [width, width]}
    settings = {"network": {"name": "monolithic"} | sizes, "actor": sizes, "target": {"rate": TARGET_RATE}}
    return resolve(BUILDERS[name])(from_dict(resolve(AGENTS[name]), settings), spec, Seeds(0), "cpu")


def random_batch(size: int) -> Batch:
    """Numbers without a meaning."""
    generator = torch.Generator().manual_seed(0)
    state, after = torch.randn(2, size, OBSERVATION, generator=generator)
    ahead, ones = torch.randn(size, GOAL, generator=generator), torch.ones(size)
    return Batch(
        observation=state, action=torch.rand(size, ACTION, generator=generator) * 2 - 1, reward=-ones,
        discount=DISCOUNT * ones, next_observation=after, next_achieved_goal=ahead, goal=ahead, goal_observation=after,
        steps_to_goal=ones, cost=ones, ended=ones < 0,
    )  # fmt: skip


class Plain:
    """The three algorithms as they are usually written down."""

    def __init__(self, name: str, width: int) -> None:
        self.name, self.num_updates = name, 0
        outputs = 2 * ACTION if name == "sac" else ACTION
        self.actor = layers(OBSERVATION + GOAL, width, outputs)
        count = 1 if name == "ddpg" else 2
        self.critics = nn.ModuleList(layers(OBSERVATION + GOAL + ACTION, width, 1) for _ in range(count))
        self.target_actor, self.target_critics = copy.deepcopy(self.actor), copy.deepcopy(self.critics)
        self.log_temperature = torch.zeros(1, requires_grad=True)
        rate = 3e-4
        self.actor_adam = torch.optim.Adam(self.actor.parameters(), rate)
        self.critic_adam = torch.optim.Adam(self.critics.parameters(), rate)
        self.temperature_adam = torch.optim.Adam([self.log_temperature], rate)

    def update(self, batch: Batch) -> dict[str, float]:
        """Critics; then, every second time for TD3, actor and targets."""
        here = torch.cat([batch.observation, batch.goal], 1)
        after = torch.cat([batch.next_observation, batch.goal], 1)
        with torch.no_grad():
            action, log_prob = self.act(after, self.actor if self.name == "sac" else self.target_actor)
            if self.name == "td3":
                noise = (torch.empty_like(action).normal_() * 0.2).clamp(-0.5, 0.5)
                action = (action + noise).clamp(-1, 1)
            next_q = torch.cat(self.values(self.target_critics, after, action), 1).min(1).values
            target = batch.reward + batch.discount * (next_q - self.log_temperature.exp() * log_prob)
        estimates = self.values(self.critics, here, batch.action)
        critic_loss = torch.stack([nn.functional.mse_loss(q[:, 0], target) for q in estimates]).sum()
        descend(self.critic_adam, critic_loss)
        self.num_updates += 1
        if self.name != "td3" or self.num_updates % 2 == 0:
            self.update_actor(here)
            follow(self.target_critics, self.critics)
            if self.name != "sac":
                follow(self.target_actor, self.actor)
        return {"critic_loss": critic_loss.item()}

    def update_actor(self, here: Tensor) -> None:
        """And SAC's temperature."""
        action, log_prob = self.act(here, self.actor)
        critics = self.critics if self.name == "sac" else self.critics[:1]
        value = torch.cat(self.values(critics, here, action), 1).min(1).values
        temperature = self.log_temperature.detach().exp()
        descend(self.actor_adam, (temperature * log_prob - value).mean())
        if self.name == "sac":
            descend(self.temperature_adam, -(self.log_temperature * (log_prob.detach() - ACTION)).mean())

    def act(self, x: Tensor, actor: nn.Module) -> tuple[Tensor, Tensor]:
        """Actions and their log-probabilities (0 for all but SAC)."""
        if self.name != "sac":
            return actor(x).tanh(), torch.zeros(len(x))
        mean, log_std = actor(x).chunk(2, 1)
        normal = torch.distributions.Normal(mean, log_std.clamp(-20, 2).exp())
        raw = normal.rsample()
        slope = 2 * (0.6931472 - raw - nn.functional.softplus(-2 * raw))
        return raw.tanh(), (normal.log_prob(raw) - slope).sum(1)

    def values(self, critics: Any, x: Tensor, action: Tensor) -> list[Tensor]:
        """A column for each critic."""
        return [critic(torch.cat([x, action], 1)) for critic in critics]


def layers(inputs: int, width: int, outputs: int) -> nn.Sequential:
    """Two hidden ones."""
    return nn.Sequential(
        nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, outputs)
    )


def descend(adam: torch.optim.Adam, loss: Tensor) -> None:
    """The three lines."""
    adam.zero_grad()
    loss.backward()
    adam.step()


def follow(target: nn.Module, source: nn.Module) -> None:
    """One parameter after another."""
    for own, other in zip(target.parameters(), source.parameters(), strict=True):
        own.data.mul_(1 - TARGET_RATE).add_(TARGET_RATE * other.data)


if __name__ == "__main__":
    main()
