"""Which goals transitions are judged by: mixtures of sources (Andrychowicz et al. 2017; Pitis et al. 2020, mrl)."""

import re
from dataclasses import dataclass, fields

MIXES = ("future_K", "futureactual_K_A", "futureachieved_K_A", "rfaa_R_F_A_C", "rfaab_R_F_A_C_B")


@dataclass(frozen=True, kw_only=True)
class HindsightConfig:
    """Relative weights of where a transition's goal comes from."""

    behaviour: float = 0.0  # the goal that the behaviour policy followed
    future: float = 0.0  # achieved later in the same episode
    final: float = 0.0  # achieved at the end of the same episode
    achieved: float = 0.0  # achieved anywhere in the store
    desired: float = 0.0  # asked for by the environment anywhere in the store
    followed: float = 0.0  # followed by the behaviour policy anywhere in the store
    random: float = 0.0  # achieved by the batch's row before this one: no further look-up (QRL)
    future_discount: float | None = None  # share kept per step ahead; None: all the rest of the episode alike

    def __post_init__(self) -> None:
        weights = self.weights
        if min(weights.values()) < 0 or not 0 < sum(weights.values()) < float("inf"):
            listed = ", ".join(f"{name} {weight}" for name, weight in weights.items() if weight)
            raise ValueError(f"HindsightConfig: weights must be at least 0 with a positive sum, got {listed or 0}.")
        if self.future_discount is not None and not 0 < self.future_discount < 1:
            raise ValueError(f"HindsightConfig.future_discount must be in (0, 1) or None, got {self.future_discount}.")

    @property
    def weights(self) -> dict[str, float]:
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "future_discount"}

    @property
    def sources(self) -> dict[str, float]:
        """Those that are drawn from, and their probabilities."""
        total = sum(self.weights.values())
        return {name: weight / total for name, weight in self.weights.items() if weight}


def hindsight_mix(name: str) -> HindsightConfig:
    """mrl's names for mixtures: shares of real, future, actual, achieved and behavioural goals, in our words

    | mrl | here |
    |---|---|
    | real | `behaviour`: the goal that was followed |
    | future | `future`, uniform over the rest of the episode |
    | actual | `desired`, of any step in the store |
    | achieved | `achieved`, at any step in the store |
    | behavioural | `followed`, at any step in the store |
    """
    kind, *numbers = name.split("_")
    known = {mix.split("_")[0]: mix for mix in MIXES}
    expected = known.get(kind, "")
    are_numbers = all(re.fullmatch(r"\d+(\.\d+)?", number) for number in numbers)
    if not expected or not are_numbers or len(numbers) != expected.count("_"):
        raise ValueError(f"{name!r} is no mixture of goals; expected {expected or ', '.join(MIXES)}, e.g. future_4.")
    shares = [float(number) for number in numbers]
    if kind == "future":
        return HindsightConfig(behaviour=1.0, future=shares[0])
    if kind == "futureactual":
        return HindsightConfig(behaviour=1.0, future=shares[0], desired=shares[1])
    if kind == "futureachieved":
        return HindsightConfig(behaviour=1.0, future=shares[0], achieved=shares[1])
    followed = shares[4] if kind == "rfaab" else 0.0
    return HindsightConfig(
        behaviour=shares[0], future=shares[1], desired=shares[2], achieved=shares[3], followed=followed
    )
