"""The bridge between the pods, and the rules of kube-proxy and the network plugin in the kernel."""

import json
import re
import subprocess
from pathlib import Path

from tests.on_cluster.lab.node import addresses

OUTAGE = "PHASE2-OUTAGE"
"""Comment of the rules with which tests block traffic."""

OURS = "PHASE2-NODES"
"""Comment of the rule for traffic between the nodes."""

_TABLES = ("nat", "filter", "mangle")
_CNI_RESULTS = Path("/var/lib/cni/results")


def make_bridge(node: addresses.Node = addresses.FIRST, *where: str) -> None:
    """Make the bridge with the node's address, and let the kernel forward between the pods.

    Args:
        node: The node.
        where: The words of :func:`inside` where the node has a network namespace of its own.
    """
    if _run(*where, "ip", "link", "show", addresses.BRIDGE).returncode:
        _run(*where, "ip", "link", "add", addresses.BRIDGE, "type", "bridge")
        _run(*where, "ip", "address", "add", f"{node.address}/24", "dev", addresses.BRIDGE)
        _run(*where, "ip", "link", "set", addresses.BRIDGE, "up")
    for name in ("ipv4/ip_forward", "bridge/bridge-nf-call-iptables"):
        if Path("/proc/sys/net", name).exists():
            _run(*where, "sh", "-c", f"echo 1 > /proc/sys/net/{name}")


def inside(space: str) -> tuple[str, ...]:
    """Return the words that run a command in a network namespace, and in no other namespace."""
    return ("nsenter", f"--net=/run/netns/{space}", "--")


def clear_network() -> None:
    """Remove the nodes' bridges, the network of each pod on them, the cable between them, and the rules."""
    clear_second()
    _clear_pods()
    _run("ip", "link", "delete", addresses.BRIDGE)
    for table in _TABLES:
        _clear_table(table)


def clear_second() -> None:
    """Remove the second node's network namespace, the networks of its pods, and the cable; its rule stays."""
    second = addresses.SECOND.name
    if Path("/run/netns", second).exists():
        _clear_pods(*inside(second))
        _run("ip", "netns", "delete", second)
    _run("ip", "link", "delete", addresses.CABLE)


def _clear_pods(*where: str) -> None:
    links = json.loads(_run(*where, "ip", "-json", "link", "show", "master", addresses.BRIDGE).stdout or "[]")
    listed = json.loads(_run(*where, "ip", "-json", "netns", "list").stdout or "[]")
    spaces = {each.get("id"): each["name"] for each in listed}
    ours = [spaces[link["link_netnsid"]] for link in links if link.get("link_netnsid") in spaces]
    for result in [each for each in _CNI_RESULTS.glob("*") if any(name in each.read_text() for name in ours)]:
        result.unlink()
    for name in ours:
        _run("ip", "netns", "delete", name)
    for link in links:
        _run(*where, "ip", "link", "delete", link["ifname"])


def found() -> list[str]:
    """Describe what is left to clear."""
    links = {addresses.BRIDGE: "bridge", addresses.CABLE: "cable"}
    left = [f"{kind} {name}" for name, kind in links.items() if not _run("ip", "link", "show", name).returncode]
    spaces = [f"namespace {path.name}" for path in [Path("/run/netns", addresses.SECOND.name)] if path.exists()]
    tables = {table: _run("iptables-save", "--table", table).stdout for table in _TABLES}
    rules = [f"rules in {table}" for table, rules in tables.items() if without_cluster_rules(rules) != rules]
    return [*left, *spaces, *rules]


def _clear_table(table: str) -> None:
    rules = _run("iptables-save", "--table", table).stdout
    kept = without_cluster_rules(rules)
    if kept != rules:
        subprocess.run(["iptables-restore", "--table", table], input=kept, text=True, check=True, capture_output=True)


def without_cluster_rules(rules: str) -> str:
    """A saved table of iptables without the chains of kube-proxy and of our network, jumps to them, and outages.

    >>> print(without_cluster_rules("*nat\\n:INPUT ACCEPT [0:0]\\n:KUBE-MARK - [0:0]\\n-A INPUT -j KUBE-MARK\\nCOMMIT"))
    *nat
    :INPUT ACCEPT [0:0]
    COMMIT
    """
    lines = rules.splitlines(keepends=True)
    chains = {name for line in lines for name in re.findall(r"^:((?:KUBE|PHASE2)-[\w-]*)", line)}
    ours = [line for line in lines if f'\\"{addresses.NETWORK}\\"' in line]
    chains |= {OUTAGE, OURS, *(name for line in ours for name in re.findall(r"-j (CNI-\w+)", line))}
    return "".join(line for line in lines if not chains & set(re.findall(r"[\w-]+", line)))


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False)
