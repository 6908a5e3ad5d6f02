package dev.caisson.audit;

import static dev.caisson.audit.YamlChange.put;

import dev.caisson.containerfile.HealthCheck;
import dev.caisson.containerfile.Setting;
import dev.caisson.containerfile.workload.Workload;
import dev.caisson.containerfile.workload.Workload.Port;
import dev.caisson.containerfile.workload.WorkloadOrigin;
import dev.caisson.containerfile.yaml.YamlNode;
import dev.caisson.containerfile.yaml.YamlNode.YamlMap;
import dev.caisson.containerfile.yaml.YamlNode.YamlScalar;
import dev.caisson.containerfile.yaml.YamlNode.YamlSeq;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Rules on how a container serves: its ports, its health, its restarts; and on how compose builds it.
final class ServiceRules {
    static final List<Rule<Workload>> ALL = List.of(
            Rule.of("port-on-all-interfaces", ServiceRules::ports),
            Rule.of("admin-port", ServiceRules::adminPorts),
            Rule.of("no-healthcheck", ServiceRules::health));
    static final List<Rule<Workload>> COMPOSE = List.of(
            Rule.of("restart-always", ServiceRules::restart),
            Rule.of("build-privileged", ServiceRules::build),
            Rule.of("variable-unset", ServiceRules::unset));

    private static final Set<String> EVERY_ADDRESS = Set.of("0.0.0.0", "::", "[::]", "*");
    private static final Set<String> ADMIN_PORTS = Set.of("22", "2375", "2376", "2377", "3389", "5900");

    private static final Set<String> PROTOCOLS = Set.of("tcp", "udp", "sctp");
    /// Ports that go into a proposal unquoted: YAML must read them as a port and nothing else.
    private static final Pattern PORTS = Pattern.compile("[0-9]{1,5}(?:-[0-9]{1,5})?");

    private ServiceRules() {}

    private static List<Verdict> ports(Workload workload) {
        return workload.ports().stream()
                .filter(port -> isImpossible(port)
                        || port.address().isEmpty()
                        || EVERY_ADDRESS.contains(port.address().get()))
                .map(port -> {
                    if (isImpossible(port)) {
                        return Verdict.unknown(
                                port.place(),
                                workload.name() + " publishes a port that cannot be: "
                                        + (port.published().isEmpty() ? "" : port.published() + ":") + port.target()
                                        + "; ports are 1 to 65535");
                    }
                    Verdict verdict = Verdict.fail(
                            port.place(),
                            "port " + (port.published().isEmpty() ? port.target() : port.published()) + " of "
                                    + workload.name() + " is open on every address of the host");
                    return onLoopback(workload, port).map(verdict::with).orElse(verdict);
                })
                .toList();
    }

    private static boolean isImpossible(Port port) {
        return isOutside(port.target(), 1) || isOutside(port.published(), 0);
    }

    /// A number or range beyond the ports that there are; 0 lets the runtime choose one of the host.
    private static boolean isOutside(String range, int least) {
        return Stream.of(range.split("-", 2))
                .filter(number -> number.matches("[0-9]+"))
                .anyMatch(number ->
                        number.length() > 5 || Integer.parseInt(number) > 65_535 || Integer.parseInt(number) < least);
    }

    private static Optional<Fix> onLoopback(Workload workload, Port port) {
        if (!(workload.origin() instanceof WorkloadOrigin.Compose)) {
            return Optional.empty();
        }
        boolean plain = PROTOCOLS.contains(port.protocol())
                && PORTS.matcher(port.target()).matches()
                && (port.published().isEmpty()
                        || PORTS.matcher(port.published()).matches());
        if (!plain) {
            return Optional.empty();
        }
        String protocol = port.protocol().equals("tcp") ? "" : "/" + port.protocol();
        String bound = "\"127.0.0.1:" + port.published() + ":" + port.target() + protocol + "\"";
        String written = port.place().text();
        return written.contains("\n") || written.startsWith("{") || written.contains("$")
                ? Optional.empty()
                : Optional.of(Fixes.of(
                        workload,
                        false,
                        List.of(new YamlChange.ReplaceItem(List.of("ports"), written, bound)),
                        List.of()));
    }

    private static List<Verdict> adminPorts(Workload workload) {
        return workload.ports().stream()
                .filter(port -> ADMIN_PORTS.contains(port.target()))
                .map(port -> Verdict.fail(
                        port.place(),
                        workload.name() + " publishes port " + port.target() + ", which is for administration"))
                .toList();
    }

    private static List<Verdict> health(Workload workload) {
        Optional<Setting<HealthCheck>> health = workload.health();
        if (health.isEmpty()) {
            return List.of(Verdict.fail(workload.place(), workload.name() + " has no health check"));
        }
        boolean none = health.get().value() instanceof HealthCheck.None;
        return none
                ? List.of(Verdict.fail(
                        health.get().place().source() == workload.place().source()
                                ? health.get().place()
                                : workload.place(),
                        "the health check of " + workload.name() + " is switched off"))
                : Verdict.none();
    }

    private static List<Verdict> restart(Workload workload) {
        return workload.restart().stream()
                .filter(policy -> isEndless(policy.value()))
                .map(policy -> Verdict.fail(
                                policy.place(), workload.name() + " is restarted without end: " + policy.value())
                        .with(Fixes.of(workload, false, List.of(put("on-failure:5", "restart")), List.of())))
                .toList();
    }

    private static boolean isEndless(String policy) {
        if (policy.equals("always") || policy.equals("unless-stopped") || policy.equals("any")) {
            return true;
        }
        String[] parts = policy.split(":", 2);
        boolean onFailure = parts[0].equals("on-failure");
        return onFailure && (parts.length == 1 || !parts[1].matches("[1-5]"));
    }

    private static List<Verdict> build(Workload workload) {
        Optional<YamlMap> build = Composes.body(workload).flatMap(body -> body.map("build"));
        if (build.isEmpty()) {
            return Verdict.none();
        }
        List<Verdict> verdicts = new ArrayList<>();
        build.get()
                .entry("privileged")
                .filter(entry -> Composes.text(entry).equalsIgnoreCase("true"))
                .ifPresent(entry -> verdicts.add(
                        Verdict.fail(entry.place(), "the build of " + workload.name() + " is privileged")));
        build.get()
                .entry("network")
                .filter(entry -> Composes.text(entry).equals("host"))
                .ifPresent(entry -> verdicts.add(
                        Verdict.fail(entry.place(), "the build of " + workload.name() + " uses the host's network")
                                .as(Severity.MEDIUM)));
        build.get().seq("entitlements").map(YamlSeq::items).orElse(List.of()).stream()
                .filter(YamlScalar.class::isInstance)
                .map(YamlScalar.class::cast)
                .filter(item ->
                        item.value().endsWith("insecure") || item.value().equals("network.host"))
                .forEach(item -> verdicts.add(Verdict.fail(
                        item.place(),
                        "the build of " + workload.name() + " is entitled to "
                                + item.place().text())));
        return verdicts;
    }

    /// One verdict for each variable: where it is missing first.
    private static List<Verdict> unset(Workload workload) {
        Map<String, Verdict> verdicts = new LinkedHashMap<>();
        Composes.body(workload)
                .ifPresent(body -> scalars(body)
                        .forEach(scalar -> scalar.unset()
                                .forEach(name -> verdicts.putIfAbsent(
                                        name,
                                        Verdict.fail(scalar.place(), "the variable " + name + " has no value")))));
        return List.copyOf(verdicts.values());
    }

    private static Stream<YamlScalar> scalars(YamlNode node) {
        return switch (node) {
            case YamlScalar scalar -> Stream.of(scalar);
            case YamlSeq seq -> seq.items().stream().flatMap(ServiceRules::scalars);
            case YamlMap map -> map.entries().values().stream().flatMap(entry -> scalars(entry.value()));
        };
    }
}
