package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.ContainerFacts.Publication;
import dev.caisson.hostaudit.facts.ContainerFacts.Truth;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.EngineFacts.Listener;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Checks of how containers can be reached. CIS section 5.
final class PortChecks {
    private static final Set<String> EVERYWHERE = Set.of("", "0.0.0.0", "::");
    /// The first port of users, whatever net.ipv4.ip_unprivileged_port_start says: clients trust lower ones as the
    /// host's.
    private static final int UNPRIVILEGED = 1024;
    private static final long ROUTED_BEFORE = 28_000_000;

    static final List<HostRule> ALL = List.of(
            HostRule.of("privileged-port", PortChecks::privileged),
            HostRule.of("ports-unneeded", PortChecks::unneeded),
            HostRule.of("port-everywhere", PortChecks::everywhere),
            HostRule.claimed("bridge-default", PortChecks::bridge),
            HostRule.of("ports-unpublished-open", PortChecks::unpublished));

    private PortChecks() {}

    private static String text(Publication port) {
        String address = port.hostAddress().isEmpty() ? "every address" : port.hostAddress();
        String number = port.hostPort() > 0 ? Integer.toString(port.hostPort()) : "a free port";
        return address + ":" + number + " to " + port.port();
    }

    private static List<Answer> privileged(Facts facts) {
        return HostRule.claimed("privileged-port", container -> {
                    var low = new ArrayList<String>();
                    published(facts, container).stream()
                            .filter(port -> port.hostPort() > 0 && port.hostPort() < UNPRIVILEGED)
                            .map(PortChecks::text)
                            .forEach(low::add);
                    container
                            .truth()
                            .filter(truth -> truth.sharesHost().contains("net"))
                            .map(Truth::listeners)
                            .orElse(List.of())
                            .stream()
                            .filter(listener -> listener.port() < UNPRIVILEGED && listener.port() > 0)
                            .map(listener -> listener + " in the host's network")
                            .forEach(low::add);
                    return Answer.failIf(
                                    !low.isEmpty(),
                                    Answer.subject(container),
                                    Excerpt.list(low),
                                    "no port of the host below " + UNPRIVILEGED + " leads to it")
                            .claim(
                                    "API",
                                    container.claims().ports().stream()
                                            .map(PortChecks::text)
                                            .toList()
                                            .toString());
                })
                .judge()
                .apply(facts);
    }

    /// The engine adds what is published to the container's own list, so the image's list counts.
    private static List<Answer> unneeded(Facts facts) {
        return HostRule.claimed("ports-unneeded", container -> {
                    List<String> published = published(facts, container).stream()
                            .map(Publication::port)
                            .distinct()
                            .toList();
                    if (container.reach().isPresent()) {
                        return container
                                .reach()
                                .get()
                                .undeclared()
                                .map(undeclared -> unneeded(
                                        container,
                                        published.stream()
                                                .filter(undeclared::contains)
                                                .toList()))
                                .orElseGet(() -> Answer.notApplicable(
                                        Answer.subject(container), "its files come without a list of exposed ports"));
                    }
                    List<String> declared = facts.images().stream()
                            .filter(image -> image.id().equals(container.imageId()))
                            .flatMap(image -> image.exposedPorts().stream())
                            .toList();
                    return unneeded(
                                    container,
                                    published.stream()
                                            .filter(port -> !declared.contains(port))
                                            .toList())
                            .claim("API", "image exposes " + declared);
                })
                .judge()
                .apply(facts);
    }

    private static Answer unneeded(ContainerFacts container, List<String> extra) {
        return Answer.failIf(
                !extra.isEmpty(),
                Answer.subject(container),
                "published, though its image does not expose them: " + Excerpt.list(extra),
                "what is published is what the image exposes");
    }

    private static List<Answer> everywhere(Facts facts) {
        return HostRule.claimed("port-everywhere", container -> everywhere(facts, container))
                .judge()
                .apply(facts);
    }

    private static Answer everywhere(Facts facts, ContainerFacts container) {
        List<String> open = published(facts, container).stream()
                .filter(port -> EVERYWHERE.contains(port.hostAddress()))
                .map(PortChecks::text)
                .toList();
        return Answer.failIf(
                        !open.isEmpty(),
                        Answer.subject(container),
                        Excerpt.list(open),
                        "no port is published on every address")
                .claim(
                        "API",
                        container.claims().ports().stream()
                                .map(PortChecks::text)
                                .toList()
                                .toString());
    }

    private static Answer bridge(ContainerFacts container) {
        return Answer.failIf(
                        container.claims().networks().contains("bridge"),
                        Answer.subject(container),
                        "it is on the default bridge",
                        "its networks are " + container.claims().networks())
                .claim("API", container.claims().networks().toString());
    }

    /// Nothing is published on internal networks, whatever was asked for.
    private static List<Publication> published(Facts facts, ContainerFacts container) {
        return isInternal(facts, container) ? List.of() : container.claims().ports();
    }

    private static boolean isInternal(Facts facts, ContainerFacts container) {
        if (container.reach().isPresent()) { // networks of other engines may have the same names
            return container.reach().get().internal();
        }
        List<String> internal = facts.engine().map(EngineFacts::networks).orElse(List.of()).stream()
                .filter(EngineFacts.NetworkFacts::internal)
                .map(EngineFacts.NetworkFacts::name)
                .toList();
        List<String> own = container.claims().networks();
        return !own.isEmpty() && internal.containsAll(own);
    }

    private static List<Answer> unpublished(Facts facts) {
        boolean routed = facts.engine()
                .filter(engine -> engine.versionNumber() < ROUTED_BEFORE)
                .isPresent();
        return ContainerRule.of("ports-unpublished-open", (container, truth) -> {
                    if (truth.sharesHost().contains("net")) {
                        return Answer.notApplicable(
                                Answer.subject(container), "it is in the host's network; another check judges that");
                    }
                    if (isInternal(facts, container)) {
                        return Answer.pass(
                                Answer.subject(container),
                                "its networks are internal: nobody else reaches what it listens on");
                    }
                    Set<String> published = container.claims().ports().stream()
                            .map(Publication::port)
                            .collect(Collectors.toSet());
                    List<String> open = truth.listeners().stream()
                            .filter(listener -> !listener.address().startsWith("127.")
                                    && !listener.address().equals("::1"))
                            .filter(listener -> !published.contains(listener.port() + "/" + listener.protocol()))
                            .map(Listener::toString)
                            .distinct()
                            .sorted()
                            .toList();
                    Answer answer = Answer.failIf(
                            !open.isEmpty(),
                            Answer.subject(container),
                            Excerpt.list(open)
                                    + (routed
                                            ? "; with this engine hosts that route to the bridge reach them too"
                                            : ""),
                            "it listens on nothing but what is published");
                    return (routed && !open.isEmpty() ? answer.as(Severity.MEDIUM) : answer)
                            .claim("API", "published " + published)
                            .truth("/proc/PID/net", open.isEmpty() ? "nothing else" : Excerpt.list(open));
                })
                .judge()
                .apply(facts);
    }
}
