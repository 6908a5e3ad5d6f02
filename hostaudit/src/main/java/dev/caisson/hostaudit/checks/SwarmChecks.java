package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Subject;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.EngineFacts.Listener;
import dev.caisson.hostaudit.facts.EngineFacts.NetworkFacts;
import dev.caisson.hostaudit.facts.EngineFacts.ServiceFacts;
import dev.caisson.hostaudit.facts.EngineFacts.SwarmFacts;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import java.util.List;
import java.util.function.BiFunction;

/// Checks of a swarm, as one of its managers tells it. CIS section 7, and whether there is one at all.
final class SwarmChecks {
    private static final Subject SWARM = new Subject(Subject.Kind.DAEMON, "swarm");
    private static final long DAY = 86_400;
    private static final long LONGEST_CERTIFICATE = 30 * DAY;
    private static final long OLDEST_CA = 365 * DAY;
    private static final int MANAGEMENT = 2377;
    private static final int MOST_MANAGERS = 7;

    static final List<HostRule> ALL = List.of(
            HostRule.engine(
                    "swarm-on",
                    (facts, engine) -> Answer.failIf(
                                    !engine.claims().swarmState().equals("inactive"),
                                    Answer.ENGINE,
                                    "swarm mode is " + engine.claims().swarmState(),
                                    "swarm mode is off")
                            .claim("API /info", engine.claims().swarmState())),
            rule(
                    "swarm-managers",
                    (facts, swarm) -> Answer.failIf(
                                    swarm.managers() < 3
                                            || swarm.managers() % 2 == 0
                                            || swarm.managers() > MOST_MANAGERS,
                                    SWARM,
                                    swarm.managers() + " managers",
                                    swarm.managers() + " managers")
                            .claim("API /nodes", swarm.managers() + ", reachable " + swarm.reachableManagers())),
            HostRule.engine(
                    "swarm-everywhere",
                    (facts, engine) -> engine.swarm()
                            .map(swarm -> everywhere(engine, swarm))
                            .orElse(none(engine))),
            HostRule.engine(
                    "overlay-plain",
                    (facts, engine) ->
                            engine.swarm().map(swarm -> overlays(engine)).orElse(none(engine))),
            rule("swarm-secrets-unused", (facts, swarm) -> secrets(swarm)),
            rule(
                    "autolock-off",
                    (facts, swarm) -> Answer.failIf(
                                    !swarm.autoLock(), SWARM, "managers are not locked", "managers are locked")
                            .claim("API /swarm", "AutoLockManagers " + swarm.autoLock())),
            rule(
                    "autolock-key-age",
                    (facts, swarm) -> swarm.autoLock()
                            ? Answer.manual(SWARM, "the engine does not say when the unlock key was replaced")
                            : Answer.notApplicable(SWARM, "managers are not locked")),
            rule(
                    "node-certificate-life",
                    (facts, swarm) -> swarm.nodeCertificateSeconds() <= 0
                            ? Answer.notEvaluated(
                                    SWARM, "the engine does not tell how long certificates of nodes are valid")
                            : Answer.failIf(
                                            swarm.nodeCertificateSeconds() > LONGEST_CERTIFICATE,
                                            SWARM,
                                            "certificates of nodes are valid for "
                                                    + swarm.nodeCertificateSeconds() / DAY + " days",
                                            "certificates of nodes are valid for "
                                                    + swarm.nodeCertificateSeconds() / DAY + " days")
                                    .claim("API /swarm", swarm.nodeCertificateSeconds() + " s")),
            rule("swarm-ca-age", SwarmChecks::certificateAuthority),
            rule(
                    "swarm-planes-joined",
                    (facts, swarm) -> Answer.failIf(
                                    swarm.dataPathAddress().isEmpty()
                                            || swarm.dataPathAddress().equals(swarm.nodeAddress()),
                                    SWARM,
                                    "data and management both use " + swarm.nodeAddress(),
                                    "data uses " + swarm.dataPathAddress() + ", management " + swarm.nodeAddress())
                            .claim(
                                    "docker-state.json",
                                    "data path " + swarm.dataPathAddress() + ", node " + swarm.nodeAddress())));

    private SwarmChecks() {}

    private static HostRule rule(String name, BiFunction<Facts, SwarmFacts, Answer> judge) {
        return HostRule.engine(
                name,
                (facts, engine) ->
                        engine.swarm().map(swarm -> judge.apply(facts, swarm)).orElse(none(engine)));
    }

    private static Answer none(EngineFacts engine) {
        return engine.claims().swarmState().equals("active")
                ? Answer.notApplicable(SWARM, "this node is no manager; ask one")
                : Answer.notApplicable(SWARM, "swarm mode is " + engine.claims().swarmState());
    }

    private static Answer everywhere(EngineFacts engine, SwarmFacts swarm) {
        if (engine.process().isEmpty()) {
            return Answer.notEvaluated(SWARM, "the engine's process could not be found");
        }
        List<String> open = engine.listeners().stream()
                .filter(listener -> listener.port() == MANAGEMENT && listener.wildcard())
                .map(Listener::toString)
                .toList();
        return Answer.failIf(
                        !open.isEmpty(),
                        SWARM,
                        Excerpt.list(open) + " answers on every address",
                        "the management port is bound to one address")
                .claim("docker-state.json", swarm.listenAddress())
                .truth("/proc/PID/net/tcp", open.isEmpty() ? "no wildcard" : Excerpt.list(open));
    }

    /// The ingress network is judged too: it carries what clients say to services.
    private static Answer overlays(EngineFacts engine) {
        List<String> plain = engine.networks().stream()
                .filter(network -> network.driver().equals("overlay"))
                .filter(network -> !network.options().containsKey("encrypted"))
                .map(NetworkFacts::name)
                .toList();
        return Answer.failIf(
                        !plain.isEmpty(),
                        SWARM,
                        "not encrypted: " + Excerpt.list(plain),
                        "every overlay network is encrypted")
                .claim("API /networks", plain.isEmpty() ? "all encrypted" : Excerpt.list(plain));
    }

    private static Answer secrets(SwarmFacts swarm) {
        List<String> bare = swarm.services().stream()
                .filter(service -> !service.secretVariables().isEmpty())
                .map(service -> service.name() + " " + service.secretVariables())
                .toList();
        return Answer.failIf(
                        !bare.isEmpty(),
                        SWARM,
                        "secrets in variables: " + Excerpt.list(bare),
                        "no service has a secret in its variables; " + swarm.secrets() + " secrets are stored")
                .claim(
                        "API /services",
                        swarm.services().stream()
                                .map(ServiceFacts::name)
                                .toList()
                                .toString());
    }

    private static Answer certificateAuthority(Facts facts, SwarmFacts swarm) {
        if (swarm.rootCertificateSecond() == 0) {
            return Answer.notEvaluated(SWARM, "the engine does not tell its root certificate");
        }
        long age = facts.second() - swarm.rootCertificateSecond();
        return Answer.failIf(
                        age > OLDEST_CA,
                        SWARM,
                        "the root certificate is " + age / DAY + " days old",
                        "the root certificate is " + age / DAY + " days old")
                .claim("API /swarm", "replaced " + swarm.rootRotation() + " times");
    }
}
