package dev.caisson.launch;

import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.NetworkEndpoint;
import dev.caisson.spec.PortMapping;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// Rules of [Policy] for a container's networks and ports.
final class NetworkRules {
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}");

    private NetworkRules() {}

    static void check(ContainerSpec spec, List<Finding> findings) {
        switch (spec.network()) {
            case Network.None _ -> {}
            case Network.OfContainer it -> checkShared(spec, it, findings);
            case Network.Host _ -> checkHost(spec, findings);
            case Network.Joined joined -> {
                for (NetworkEndpoint endpoint : joined.endpoints()) {
                    refusal(endpoint.network()).ifPresent(findings::add);
                }
                checkPorts(joined.ports().mappings(), findings);
                if (!joined.hostServices().isEmpty() && !spec.allowances().contains(Allowance.HOST_SERVICES)) {
                    findings.add(new Finding(
                            "ALLOWANCE_NEEDED",
                            "port " + joined.hostServices().ports().getFirst() + " of the host opens: "
                                    + Allowance.HOST_SERVICES.opens() + "; if that is meant, add --allow "
                                    + Allowance.HOST_SERVICES.option() + "="
                                    + joined.hostServices().ports().getFirst()));
                }
                if (joined.egress().greets() && !joined.gates().isEmpty()) {
                    findings.add(new Finding(
                            "EGRESS_REFUSED",
                            "secret " + joined.gates().getFirst().secret() + " has a gate, which reads greetings of TLS"
                                    + " itself: leave --egress-sni out"));
                }
                joined.gates().stream()
                        .filter(gate -> !gate.isOn(joined.egress()))
                        .forEach(gate -> findings.add(new Finding(
                                "GATE_REFUSED",
                                "secret " + gate.secret() + " has a gate to " + gate.target()
                                        + ", which is not on a list of what the container may send to: give --egress "
                                        + gate.target() + ", with all else that it needs")));
            }
        }
    }

    /// Refuses options that belong to the network stack: the container that has the stack sets them.
    private static void checkShared(ContainerSpec spec, Network.OfContainer other, List<Finding> findings) {
        if (spec.hostName().isPresent()) {
            findings.add(new Finding(
                    "OPTIONS_CONTRADICT",
                    "the container has the host name of " + other.container()
                            + ", whose network it shares: give --hostname" + " to that one"));
        }
        spec.sysctls().keySet().stream()
                .map(name -> name.replace('/', '.'))
                .filter(name -> name.startsWith("net."))
                .forEach(name -> findings.add(new Finding(
                        "OPTIONS_CONTRADICT",
                        name + " would change the network of " + other.container()
                                + ", which the container shares: give --sysctl to that one")));
    }

    /// The host's own stack has the host's addresses, its services on loopback and its abstract sockets. The latter are
    /// kept away by landlock(7), which needs no_new_privs.
    private static void checkHost(ContainerSpec spec, List<Finding> findings) {
        if (!spec.allowances().contains(Allowance.HOST_NETWORK)) {
            findings.add(new Finding(
                    "ALLOWANCE_NEEDED",
                    "network host opens: " + Allowance.HOST_NETWORK.opens()
                            + "; join a network and publish ports, or if that is meant, add --allow "
                            + Allowance.HOST_NETWORK.option()));
        }
        if (spec.newPrivileges()) {
            findings.add(new Finding(
                    "OPTIONS_CONTRADICT",
                    "a container in the host's network is kept from the host's abstract sockets by Landlock, which new"
                            + " privileges rule out: leave out --network host, or what lets it gain privileges"));
        }
        spec.sysctls().keySet().stream()
                .map(name -> name.replace('/', '.'))
                .filter(name -> name.startsWith("net."))
                .forEach(name -> findings.add(new Finding(
                        "OPTIONS_CONTRADICT", name + " would change the host's network: leave out --sysctl " + name)));
    }

    /// Networks that cannot be joined with others.
    private static Optional<Finding> refusal(String network) {
        if (network.equals("host")) {
            return Optional.of(new Finding(
                    "OPTIONS_CONTRADICT", "network host is the host's own stack, no network to join: name it alone"));
        }
        if (network.equals("none")) {
            return Optional.of(new Finding(
                    "OPTIONS_CONTRADICT", "network none is loopback alone: leave it out, or name it alone"));
        }
        if (network.startsWith("container:")) {
            return Optional.of(new Finding(
                    "OPTIONS_CONTRADICT",
                    "network " + network + " is the whole stack of another container: name it alone"));
        }
        return NAME.matcher(network).matches()
                ? Optional.empty()
                : Optional.of(new Finding(
                        "NETWORK_NAME",
                        "\"" + network + "\" is not a network's name: begin with a letter or digit, then use letters,"
                                + " digits, _ . and -"));
    }

    private static void checkPorts(List<PortMapping> mappings, List<Finding> findings) {
        var seen = new HashSet<PortMapping>();
        for (PortMapping mapping : mappings) {
            // the same port of the host, whatever it leads to
            var place = new PortMapping(mapping.address(), mapping.hostPort(), 1, mapping.transport());
            if (mapping.hostPort() != 0 && !seen.add(place)) {
                findings.add(new Finding(
                        "OPTIONS_CONTRADICT",
                        "port " + mapping.hostPort() + " of the host is published twice, at last as " + mapping
                                + ": give one"));
            }
        }
    }
}
