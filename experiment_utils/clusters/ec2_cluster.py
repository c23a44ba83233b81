"""A cluster of EC2 instances: they are launched, then Ray is started on them through ssh as on any other hosts."""

import sys
import time
from typing import Any

from experiment_utils.clusters import ec2 as parts
from experiment_utils.clusters.aws_errors import spoken_errors
from experiment_utils.clusters.cluster import Finding
from experiment_utils.clusters.config import Ec2Cluster
from experiment_utils.clusters.ec2_rights import delete_profile, make_profile
from experiment_utils.clusters.ec2_start import PYTHON, STATE
from experiment_utils.clusters.hosts import HostError, Login, on_all
from experiment_utils.clusters.nodes import Nodes
from experiment_utils.clusters.prices import on_demand_price, spot_price
from experiment_utils.clusters.quotas import quota_problem
from experiment_utils.clusters.shipping import ship_code
from experiment_utils.clusters.state import forget, state_folder
from experiment_utils.clusters.tunnel import close_tunnel
from lifelong_rl.config import ConfigError

READY_SECONDS = 20 * 60  # torch is large
POLL_SECONDS = 10.0


class Ec2Instances:
    """See `Cluster`. Credentials are those that boto3 finds; nothing here reads or keeps them."""

    def __init__(self, config: Ec2Cluster) -> None:
        self.name, self._config = config.name, config
        try:
            import boto3
        except ImportError:
            raise ConfigError("EC2 needs boto3: pip install -e '.[aws]'.") from None
        with spoken_errors(config.region):
            self._session: Any = boto3.Session(region_name=config.region)
            self._ec2 = self._session.client("ec2")

    def check(self) -> list[Finding]:
        config, python = self._config, ".".join(map(str, sys.version_info[:2]))
        problem = "" if config.python == python else f"`python` must be {python}, as here, because Ray wants it so"
        findings = [Finding(about="Python", facts=config.python, problem=problem)]
        with spoken_errors(config.region):
            account = self._session.client("sts").get_caller_identity()["Account"]
            findings.append(Finding(about="account", facts=f"{account} in {config.region}"))
            findings.append(Finding(about="image", facts=parts.image_of(self._session, self._ec2, config)["ImageId"]))
            for role, kind, count in self._wanted():
                of_spot = role == "worker" and config.spot
                problem = quota_problem(self._session, self._ec2, kind, count, of_spot) if count else ""
                findings.append(Finding(about=role, facts=f"{count} x {kind}", problem=problem))
        return findings

    def plan(self) -> list[str]:
        config = self._config
        with spoken_errors(config.region):
            prices = {role: self._price(role, kind) for role, kind, _ in self._wanted()}
        lines = []
        for role, kind, count in self._wanted():
            price, how = prices[role], "spot" if role == "worker" and config.spot else "on demand"
            each = f"${price:.3f} an hour each" if price is not None else "price unknown"
            lines.append(f"{role}: {count} x {kind} {how} in {config.region}, {each}")
        known = [price * count for (role, _, count) in self._wanted() if (price := prices[role]) is not None]
        unknown = "" if len(known) == len(lines) else ", and what is unknown above"
        hour = sum(known)
        most = f"at most ${hour * config.max_hours:.2f}{unknown} in the {config.max_hours:g} hours after which they end"
        return [*lines, f"together ${hour:.2f} an hour{unknown}, {most} (disks and traffic are extra)"]

    def is_up(self) -> bool:
        running = self._instances("running")
        if len(running) < 1 + self._config.num_instances:
            return False
        try:
            return all(self.nodes().running().values())
        except HostError:
            return False

    def up(self) -> None:
        with spoken_errors(self._config.region):
            try:
                self.launch()
            except BaseException:  # Ctrl-C too
                self.down()  # what half of it costs, it costs for nothing
                raise
        nodes = self.nodes()
        try:
            on_all(nodes.hosts, lambda host: self._wait_until_ready(nodes, host))
            nodes.start(ship_code(nodes))
        except HostError as error:
            raise HostError(f"{error} The instances still run, and cost: python scripts/cluster.py down FILE") from None

    def launch(self) -> None:
        """The instances that are missing, and what they need; returns when all of them run."""
        config, state = self._config, state_folder(self.name)
        instances = self._instances(*parts.ALIVE[:2])
        if not instances or not (state / "key").exists():
            parts.key_pair(self._ec2, self.name, state)
        group = parts.security_group(self._ec2, config, config.ssh_from or parts.caller_address())
        profile = config.instance_profile
        if profile is None and config.store is not None:
            profile = make_profile(self._session.client("iam"), self.name, config.store)
        image = parts.image_of(self._session, self._ec2, config)
        for role, _, count in self._wanted():
            missing = count - sum(parts.role_of(instance) == role for instance in instances)
            if missing > 0:
                parts.launch(self._ec2, config, role, missing, image=image, group=group, profile=profile)
        made = [instance["InstanceId"] for instance in self._instances(*parts.ALIVE[:2])]
        self._ec2.get_waiter("instance_running").wait(InstanceIds=made)

    def down(self) -> list[str]:
        close_tunnel(self.name)
        with spoken_errors(self._config.region):
            parts.end_all(self._ec2, self.name)
            if self._config.instance_profile is None and self._config.store is not None:
                delete_profile(self._session.client("iam"), self.name)
            left = parts.what_is_left(self._ec2, self.name)
        if not left:
            forget(self.name)
        return left

    def status(self) -> list[str]:
        return [
            f"{parts.role_of(found)} {found['InstanceId']} {found['InstanceType']} {found['State']['Name']}, "
            f"{found.get('PublicIpAddress', 'no address')}, since {found['LaunchTime']:%Y-%m-%d %H:%M} UTC"
            for found in self._instances(*parts.ALIVE)
        ] or [f"no instance of {self.name} in {self._config.region}"]

    def nodes(self) -> Nodes:
        running = [found for found in self._instances("running") if found.get("PublicIpAddress")]
        if not running or parts.role_of(running[0]) != "head":
            raise ConfigError(f"cluster {self.name} has no running head in {self._config.region}: bring it up first.")
        state = state_folder(self.name)
        login = Login(identity=str(state / "key"), known_hosts=str(state / "known_hosts"), accepts_new=True)
        hosts = tuple(f"{self._config.user}@{found['PublicIpAddress']}" for found in running)
        return Nodes(
            name=self.name, hosts=hosts, login=login, python=PYTHON, folder="lifelong_rl",
            first_port=self._config.first_port,
        )  # fmt: skip

    def _instances(self, *states: str) -> list[dict[str, Any]]:
        with spoken_errors(self._config.region):
            return parts.list_instances(self._ec2, self.name, states)

    def _wanted(self) -> list[tuple[str, str, int]]:
        config = self._config
        return [("head", config.head_instance_type, 1), ("worker", config.instance_type, config.num_instances)]

    def _price(self, role: str, kind: str) -> float | None:
        """Of an hour; for a spot worker what it may cost at most, where that was said."""
        if role == "worker" and self._config.spot:
            return self._config.max_price or spot_price(self._ec2, kind)
        return on_demand_price(self._session, self._config.region, kind)

    def _wait_until_ready(self, nodes: Nodes, host: str) -> None:
        deadline, last = time.monotonic() + READY_SECONDS, "it does not answer"
        while time.monotonic() < deadline:
            try:
                seen = nodes.login.ask(host, "python3", "read_state", folder=STATE)
            except HostError as error:
                last = str(error)
            else:
                if seen["state"] == "ready":
                    return
                if seen["state"] == "failed":
                    raise HostError(f"{host}: its start script failed (see {STATE}/start.log there): {seen['last']}.")
                last = seen["last"]
            time.sleep(POLL_SECONDS)
        raise HostError(f"{host}: not ready after {READY_SECONDS // 60} minutes: {last}.")
