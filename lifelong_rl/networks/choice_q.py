"""Q(s, g) for discrete actions: a value for each choice, plain or as value plus advantages (Wang et al. 2016)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lifelong_rl.networks.mlp import MLP


class ChoiceQ(nn.Module):
    """[B, O], [B, G] (G may be 0) -> [B, A]."""

    def __init__(
        self, observation_size: int, goal_size: int, num_choices: int, hidden_sizes: Sequence[int], *,
        layer_norm: bool = False, is_dueling: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.is_dueling = is_dueling
        outputs = num_choices + is_dueling
        self.body = MLP(observation_size + goal_size, hidden_sizes, outputs, layer_norm=layer_norm)

    def forward(self, observation: Tensor, goal: Tensor) -> Tensor:
        out = self.body(torch.cat([observation, goal], -1))
        if not self.is_dueling:
            return out
        advantage = out[:, 1:]
        return out[:, :1] + advantage - advantage.mean(-1, keepdim=True)
