"""Networks of pictures: sizes, the scale of what enters, and actors and critics that see them."""

import pytest
import torch
from torch.nn import functional as F

from lifelong_rl.networks.actors import TanhNormalActor
from lifelong_rl.networks.critics import QuasimetricCritic, QuasimetricCriticConfig
from lifelong_rl.networks.encoders import ImageEncoder, ImageTorso

SHAPE = (64, 64, 3)


def pictures(*leading: int) -> torch.Tensor:
    return torch.randint(256, (*leading, *SHAPE), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_the_torso_of_quasimetric_rl_makes_1024_numbers_of_a_picture():
    torso = ImageTorso(SHAPE, (32, 64, 64))
    assert torso.size == 1024 and torso(pictures(2)).shape == (2, 1024)
    assert sum(parameter.numel() for parameter in torso.parameters()) == 32 * 193 + 64 * 513 + 64 * 577


def test_bytes_enter_as_numbers_from_minus_to_plus_a_half_channels_first():
    torch.manual_seed(0)
    torso, picture = ImageTorso(SHAPE, (4, 4, 4)), pictures(1)
    x = picture[0].permute(2, 0, 1)[None] / 255.0 - 0.5
    for index, stride in ((0, 4), (2, 2), (4, 1)):
        layer = torso.layers[index]
        x = F.relu(F.conv2d(x, layer.weight, layer.bias, stride=stride))
    assert torch.allclose(torso(picture), x.flatten(1), atol=1e-6)


def test_leading_axes_stay():
    encoder = ImageEncoder(ImageTorso(SHAPE, (4, 4, 4)), (8,), 5)
    many = pictures(2, 3)
    assert encoder(many).shape == (2, 3, 5)
    assert torch.allclose(encoder(many)[1, 2], encoder(many[1, 2]), atol=1e-6)


def test_pictures_that_are_too_small_are_refused():
    ImageTorso((36, 36, 1), (4, 4, 4))
    with pytest.raises(ValueError, match=r"at least 36 x 36, channels three numbers, got \[35, 64, 3\] and"):
        ImageTorso((35, 64, 3), (4, 4, 4))


def test_a_critic_of_pictures_measures_zero_from_a_picture_to_itself_and_more_to_others():
    torch.manual_seed(0)
    config = QuasimetricCriticConfig(encoder_sizes=(16,), latent_size=8, image_channels=(4, 4, 4))
    critic, seen = QuasimetricCritic(config, SHAPE, 4, None), pictures(2)
    steps = critic.steps_between(seen, seen)
    assert steps.tolist() == pytest.approx([0.0, 0.0], abs=1e-5)
    assert (critic.steps_between(seen, seen.flip(0)) > 1e-3).all()


def test_an_actor_sees_observation_and_goal_through_one_torso():
    torch.manual_seed(0)
    torso = ImageTorso(SHAPE, (4, 4, 4))
    actor = TanhNormalActor(torso.size, torso.size, 2, (8,), torso=torso)
    torch.nn.init.normal_(actor.body.layers[-1].weight)
    seen, goal = pictures(3), pictures(3).flip(0)
    whole, parts = actor(seen, goal), actor.choose(torso(seen), torso(goal))
    assert torch.equal(whole.mean, parts.mean) and whole.mean.shape == (3, 2)
    assert not torch.allclose(whole.mean, actor(goal, seen).mean)
    names = {name.split(".")[0] for name, _ in actor.named_parameters()}
    assert names == {"torso", "body"}
