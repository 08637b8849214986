"""The bridge between the pods, and the rules of kube-proxy and the network plugin in the kernel."""

import json
import re
import subprocess
from pathlib import Path

from tests.on_cluster.lab.node import addresses

OUTAGE = "PHASE2-OUTAGE"
"""Comment of the rules with which tests block traffic."""

_TABLES = ("nat", "filter", "mangle")
_CNI_RESULTS = Path("/var/lib/cni/results")


def make_bridge() -> None:
    """Make the bridge with the node's address, and let the kernel forward between the pods."""
    if _run("ip", "link", "show", addresses.BRIDGE).returncode:
        _run("ip", "link", "add", addresses.BRIDGE, "type", "bridge")
        _run("ip", "address", "add", f"{addresses.NODE_ADDRESS}/24", "dev", addresses.BRIDGE)
        _run("ip", "link", "set", addresses.BRIDGE, "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    bridged = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
    if bridged.exists():
        bridged.write_text("1")


def clear_network() -> None:
    """Remove the bridge, the network of each pod on it, and the rules."""
    links = json.loads(_run("ip", "-json", "link", "show", "master", addresses.BRIDGE).stdout or "[]")
    spaces = {each.get("id"): each["name"] for each in json.loads(_run("ip", "-json", "netns", "list").stdout or "[]")}
    ours = [spaces[link["link_netnsid"]] for link in links if link.get("link_netnsid") in spaces]
    for result in [each for each in _CNI_RESULTS.glob("*") if any(name in each.read_text() for name in ours)]:
        result.unlink()
    for name in ours:
        _run("ip", "netns", "delete", name)
    for link in links:
        _run("ip", "link", "delete", link["ifname"])
    _run("ip", "link", "delete", addresses.BRIDGE)
    for table in _TABLES:
        _clear_table(table)


def found() -> list[str]:
    """Describe what is left to clear."""
    bridge = [] if _run("ip", "link", "show", addresses.BRIDGE).returncode else [f"bridge {addresses.BRIDGE}"]
    tables = {table: _run("iptables-save", "--table", table).stdout for table in _TABLES}
    return bridge + [f"rules in {table}" for table, rules in tables.items() if without_cluster_rules(rules) != rules]


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
    chains |= {OUTAGE, *(name for line in ours for name in re.findall(r"-j (CNI-\w+)", line))}
    return "".join(line for line in lines if not chains & set(re.findall(r"[\w-]+", line)))


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False)
