package dev.caisson.hostaudit.checks;

import dev.caisson.audit.Severity;
import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.EngineFacts;
import dev.caisson.hostaudit.facts.EngineFacts.EngineProcess;
import dev.caisson.hostaudit.facts.EngineFacts.Listener;
import dev.caisson.hostaudit.facts.EngineFacts.NetworkFacts;
import dev.caisson.hostaudit.facts.EngineFacts.Setting;
import dev.caisson.hostaudit.facts.Excerpt;
import dev.caisson.hostaudit.facts.Facts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Checks of the engine's effective configuration and of what its process does. CIS section 2.
final class DaemonChecks {
    private static final Set<String> REMOTE_LOGS =
            Set.of("awslogs", "fluentd", "gcplogs", "gelf", "logentries", "splunk", "syslog");
    private static final long VERIFIES_BY_DEFAULT = 23_000_000;
    private static final Set<Integer> SWARM_PORTS = Set.of(2377, 7946, 4789);

    static final List<HostRule> ALL = List.of(
            HostRule.engine("daemon-root", (facts, engine) -> rootless(engine)),
            HostRule.engine("icc-on", (facts, engine) -> icc(engine)),
            configured("log-level", (facts, engine) -> logLevel(engine)),
            configured(
                    "iptables-off",
                    (facts, engine) -> Answer.failIf(
                                    engine.text("iptables").equals("false"),
                                    Answer.ENGINE,
                                    "iptables is switched off",
                                    "the engine sets its own rules")
                            .claim(source(engine, "iptables"), engine.text("iptables"))),
            HostRule.engine("registry-insecure", (facts, engine) -> insecure(engine)),
            HostRule.engine("storage-aufs", (facts, engine) -> driver(engine, "aufs")),
            HostRule.engine("storage-devicemapper", (facts, engine) -> driver(engine, "devicemapper")),
            configured("api-tcp-open", (facts, engine) -> tcp(engine)),
            configured("ulimits-default", (facts, engine) -> ulimits(engine)),
            HostRule.engine("userns-remap-off", (facts, engine) -> userns(facts, engine)),
            configured(
                    "cgroup-parent",
                    (facts, engine) -> Answer.failIf(
                                    !engine.text("cgroup-parent").isEmpty(),
                                    Answer.ENGINE,
                                    "containers are put under " + engine.text("cgroup-parent"),
                                    "containers are put under the engine's default group")
                            .claim(source(engine, "cgroup-parent"), engine.text("cgroup-parent"))),
            configured("base-size", (facts, engine) -> baseSize(engine)),
            HostRule.engine(
                    "authorization-off",
                    (facts, engine) -> Answer.failIf(
                                    engine.claims().authorizationPlugins().isEmpty(),
                                    Answer.ENGINE,
                                    "no authorization plugin is loaded",
                                    "requests are authorized by "
                                            + String.join(", ", engine.claims().authorizationPlugins()))
                            .claim(
                                    "API /info",
                                    String.join(", ", engine.claims().authorizationPlugins()))),
            HostRule.engine(
                    "logs-local",
                    (facts, engine) -> Answer.failIf(
                                    !REMOTE_LOGS.contains(engine.claims().loggingDriver()),
                                    Answer.ENGINE,
                                    engine.claims().loggingDriver().equals("none")
                                            ? "the log driver none keeps no logs"
                                            : "the log driver "
                                                    + engine.claims().loggingDriver() + " keeps logs on this host",
                                    "logs go out by " + engine.claims().loggingDriver())
                            .claim("API /info", engine.claims().loggingDriver())),
            configured("no-new-privileges-default-off", DaemonChecks::newPrivileges),
            HostRule.engine(
                    "live-restore-off",
                    (facts, engine) -> engine.swarm().isPresent()
                            ? Answer.notApplicable(Answer.ENGINE, "live restore and swarm mode exclude each other")
                            : Answer.failIf(
                                            !engine.claims().liveRestore(),
                                            Answer.ENGINE,
                                            "live restore is off",
                                            "containers live on while the engine restarts")
                                    .claim(
                                            "API /info",
                                            Boolean.toString(engine.claims().liveRestore()))),
            configured(
                    "userland-proxy-on",
                    (facts, engine) -> Answer.failIf(
                                    engine.isOn("userland-proxy") || engine.proxies() > 0,
                                    Answer.ENGINE,
                                    "the userland proxy is on, " + engine.proxies() + " proxies run",
                                    "the userland proxy is off, no proxy runs")
                            .claim(source(engine, "userland-proxy"), engine.text("userland-proxy"))
                            .truth("/proc", engine.proxies() + " docker-proxy processes")
                            .agreeing(engine.isOn("userland-proxy") || engine.proxies() == 0)),
            HostRule.engine("seccomp-profile-default", (facts, engine) -> seccomp(engine)),
            HostRule.engine(
                    "experimental-on",
                    (facts, engine) -> Answer.failIf(
                                    engine.claims().experimental(),
                                    Answer.ENGINE,
                                    "experimental features are on",
                                    "experimental features are off")
                            .claim("API /info", Boolean.toString(engine.claims().experimental()))),
            configured("host-services-open", (facts, engine) -> services(engine)));

    private DaemonChecks() {}

    /// About what only the engine's own process and its file tell: its flags, its sockets.
    private static HostRule configured(String name, BiFunction<Facts, EngineFacts, Answer> judge) {
        return HostRule.engine(name, (facts, engine) -> {
            if (engine.process().isEmpty()) {
                return Answer.notEvaluated(Answer.ENGINE, "the engine's process could not be found");
            }
            return facts.gapAt(engine.configurationFile())
                    .map(gap -> Answer.notEvaluated(Answer.ENGINE, gap.what() + ": " + gap.reason()))
                    .orElseGet(() -> judge.apply(facts, engine));
        });
    }

    private static String source(EngineFacts engine, String setting) {
        return engine.setting(setting)
                .map(Setting::source)
                .map(source -> switch (source) {
                    case "flag" ->
                        "/proc/" + engine.process().map(EngineProcess::pid).orElse(0L) + "/cmdline";
                    case "file" -> engine.configurationFile();
                    case String other -> "the engine's default";
                })
                .orElse("not set");
    }

    private static Answer rootless(EngineFacts engine) {
        if (engine.process().isEmpty()) {
            return engine.rootless()
                    ? Answer.pass(Answer.ENGINE, "the engine says that it runs rootless")
                            .claim("API /info", "name=rootless")
                    : Answer.notEvaluated(Answer.ENGINE, "the engine's process could not be found");
        }
        EngineProcess process = engine.process().get();
        return Answer.failIf(
                        process.uid() == 0,
                        Answer.ENGINE,
                        "process " + process.pid() + " runs as uid 0",
                        "process " + process.pid() + " runs as uid " + process.uid())
                .claim("API /info", engine.rootless() ? "rootless" : "not rootless")
                .truth("/proc/" + process.pid() + "/status", "uid " + process.uid())
                .agreeing(engine.rootless() == (process.uid() != 0));
    }

    private static Answer icc(EngineFacts engine) {
        Optional<NetworkFacts> bridge = engine.networks().stream()
                .filter(network -> network.driver().equals("bridge")
                        && network.options()
                                .getOrDefault("com.docker.network.bridge.default_bridge", "")
                                .equals("true"))
                .findFirst();
        if (bridge.isEmpty()) {
            return Answer.notApplicable(Answer.ENGINE, "the engine has no default bridge");
        }
        String option = bridge.get().options().getOrDefault("com.docker.network.bridge.enable_icc", "true");
        return Answer.failIf(
                        option.equals("true"),
                        Answer.ENGINE,
                        "containers of the default bridge may talk to each other",
                        "containers of the default bridge are kept apart")
                .claim("API /networks", "enable_icc=" + option);
    }

    private static Answer logLevel(EngineFacts engine) {
        boolean debug = engine.claims().debug() || engine.isOn("debug");
        String level = debug ? "debug" : engine.text("log-level");
        return Answer.failIf(!level.equals("info"), Answer.ENGINE, "the log level is " + level, "the log level is info")
                .claim(
                        source(engine, engine.isOn("debug") ? "debug" : "log-level"),
                        engine.isOn("debug") ? "debug true" : engine.text("log-level"));
    }

    /// Addresses of this very host are taken without TLS by default, which is no risk. A mirror answers for the
    /// public registry.
    private static Answer insecure(EngineFacts engine) {
        List<String> others = Stream.concat(
                        engine.claims().insecureRegistries().stream()
                                .filter(registry -> !Registries.isThisHost(registry)),
                        engine.claims().registryMirrors().stream().filter(Registries::isPlainMirror))
                .toList();
        return Answer.failIf(
                        !others.isEmpty(),
                        Answer.ENGINE,
                        "used without TLS or without checking it: " + Excerpt.list(others),
                        "every registry beyond this host must prove who it is")
                .claim(
                        "API /info",
                        Stream.concat(
                                        engine.claims().insecureRegistries().stream(),
                                        engine.claims().registryMirrors().stream())
                                .collect(Collectors.joining(", ")));
    }

    private static Answer driver(EngineFacts engine, String driver) {
        String used = engine.claims().storageDriver();
        return Answer.failIf(
                        used.equals(driver),
                        Answer.ENGINE,
                        "the storage driver is " + used,
                        "the storage driver is " + used)
                .claim("API /info", used);
    }

    private static Answer tcp(EngineFacts engine) {
        List<Listener> open = engine.listeners().stream()
                .filter(listener -> listener.protocol().equals("tcp") && !SWARM_PORTS.contains(listener.port()))
                .toList();
        List<String> configured = engine.setting("hosts").map(Setting::values).orElse(List.of()).stream()
                .filter(host -> host.startsWith("tcp://"))
                .toList();
        if (open.isEmpty() && configured.isEmpty()) {
            return Answer.pass(Answer.ENGINE, "the API listens on no TCP port")
                    .truth("/proc/PID/net/tcp", "no listener");
        }
        String listeners = open.stream().map(Listener::toString).collect(Collectors.joining(", "));
        boolean verified = verifiesClients(engine);
        boolean anyAuthority = verified && engine.text("tlscacert").isEmpty() && !isFlag(engine, "tlsverify");
        Optional<EngineFacts.ServerProbe> answered = engine.probes().stream()
                .filter(probe ->
                        probe.outcome().equals("plain") || probe.outcome().equals("any-client"))
                .findFirst();
        Answer answer;
        if (answered.isPresent()) {
            answer = Answer.fail(
                    Answer.ENGINE,
                    answered.get().listener() + ": " + answered.get().detail());
        } else if (!verified) {
            answer = Answer.fail(
                    Answer.ENGINE,
                    "the API listens on " + (listeners.isEmpty() ? configured : listeners) + " and tlsverify is off");
        } else if (anyAuthority) {
            answer = Answer.fail(
                    Answer.ENGINE,
                    "the API listens on " + (listeners.isEmpty() ? configured : listeners)
                            + " and takes every certificate of an authority that this host trusts: tlscacert is not set");
        } else {
            answer = Answer.pass(Answer.ENGINE, "the API on " + listeners + " wants a client certificate");
        }
        answer = answer.claim(
                        source(engine, "tlsverify"),
                        "tls=" + engine.text("tls") + ", tlsverify="
                                + (isSet(engine, "tlsverify") ? engine.text("tlsverify") : "not set") + ", tlscacert="
                                + engine.text("tlscacert"))
                .truth(
                        "/proc/PID/net/tcp, GET /_ping",
                        listeners
                                + engine.probes().stream()
                                        .map(probe -> "; " + probe.listener() + " " + probe.outcome())
                                        .collect(Collectors.joining()));
        return answer.agreeing(!verified || answered.isEmpty());
    }

    private static boolean isSet(EngineFacts engine, String setting) {
        return engine.setting(setting)
                .filter(found -> !found.source().equals("default"))
                .isPresent();
    }

    /// Flags have a default for the authority's file, `daemon.json` has none.
    private static boolean isFlag(EngineFacts engine, String setting) {
        return engine.setting(setting)
                .filter(found -> found.source().equals("flag"))
                .isPresent();
    }

    /// dockerd with TLS verifies clients unless tlsverify is false; before version 23 only if it is true.
    private static boolean verifiesClients(EngineFacts engine) {
        return isSet(engine, "tlsverify")
                ? engine.isOn("tlsverify")
                : engine.isOn("tls") && engine.versionNumber() >= VERIFIES_BY_DEFAULT;
    }

    private static Answer ulimits(EngineFacts engine) {
        return Answer.failIf(
                        engine.text("default-ulimits").isEmpty(),
                        Answer.ENGINE,
                        "no default-ulimits are set",
                        "default-ulimits: " + engine.text("default-ulimits"))
                .claim(source(engine, "default-ulimits"), engine.text("default-ulimits"));
    }

    private static Answer userns(Facts facts, EngineFacts engine) {
        boolean claimed = engine.rootless()
                || engine.claims().securityOptions().stream().anyMatch(option -> option.startsWith("name=userns"));
        long first = facts.host().namespaces().getOrDefault("user", 0L);
        List<String> shared = facts.containers().stream()
                .filter(container ->
                        container.truth().isPresent() && !container.imageId().isEmpty())
                .filter(container -> container.truth().get().init().namespaces().getOrDefault("user", -1L) == first)
                .map(ContainerFacts::name)
                .toList();
        long seen = facts.containers().stream()
                .filter(container -> container.truth().isPresent())
                .count();
        return Answer.failIf(
                        !claimed,
                        Answer.ENGINE,
                        "containers get no user namespace"
                                + (seen == 0
                                        ? ""
                                        : "; " + shared.size() + " of " + seen + " that run are in the host's"),
                        "containers get a user namespace of their own")
                .claim("API /info", String.join(", ", engine.claims().securityOptions()))
                .truth("/proc/PID/ns/user", shared.isEmpty() ? "none in the host's" : Excerpt.list(shared));
    }

    private static Answer baseSize(EngineFacts engine) {
        if (!engine.claims().storageDriver().equals("devicemapper")) {
            return Answer.notApplicable(
                    Answer.ENGINE, "the storage driver is " + engine.claims().storageDriver());
        }
        return Answer.failIf(
                        engine.text("storage-opts").contains("dm.basesize"),
                        Answer.ENGINE,
                        "storage-opts are " + engine.text("storage-opts"),
                        "the base size is the default")
                .claim(source(engine, "storage-opts"), engine.text("storage-opts"));
    }

    private static Answer newPrivileges(Facts facts, EngineFacts engine) {
        List<String> without = facts.containers().stream()
                .filter(container ->
                        container.truth().isPresent() && !container.imageId().isEmpty())
                .filter(container -> !container.truth().get().init().noNewPrivileges())
                .map(ContainerFacts::name)
                .toList();
        return Answer.failIf(
                        !engine.isOn("no-new-privileges"),
                        Answer.ENGINE,
                        "no-new-privileges is off by default; " + without.size() + " containers run without it",
                        "no-new-privileges is on by default")
                .claim(source(engine, "no-new-privileges"), engine.text("no-new-privileges"))
                .truth("/proc/PID/status", without.isEmpty() ? "all have it" : "without: " + Excerpt.list(without));
    }

    private static Answer seccomp(EngineFacts engine) {
        Optional<String> profile = engine.claims().securityOptions().stream()
                .filter(option -> option.startsWith("name=seccomp"))
                .findFirst();
        boolean builtin = profile.filter(option -> option.endsWith("profile=builtin")
                        || option.endsWith("profile=default")
                        // where podman's package puts its own
                        || option.endsWith("profile=/usr/share/containers/seccomp.json"))
                .isPresent();
        if (builtin) {
            return Answer.pass(Answer.ENGINE, "the default filter is the built-in one")
                    .claim("API /info", profile.get());
        }
        boolean off = profile.isEmpty() || profile.get().endsWith("profile=unconfined");
        return (off
                        ? Answer.fail(Answer.ENGINE, "containers get no system call filter by default")
                        : Answer.manual(Answer.ENGINE, "the default filter is " + profile.get())
                                .as(Severity.MEDIUM))
                .claim("API /info", profile.orElse("no seccomp"));
    }

    /// TCP services of the engine's network namespace that answer on the bridges' addresses too.
    private static Answer services(EngineFacts engine) {
        Set<String> gateways = engine.networks().stream()
                .flatMap(network -> network.gateways().stream())
                .collect(Collectors.toSet());
        var open = new ArrayList<String>();
        engine.hostListeners().stream()
                .filter(listener -> listener.protocol().equals("tcp"))
                .filter(listener -> listener.wildcard() || gateways.contains(listener.address()))
                .filter(listener -> engine.listeners().stream().noneMatch(own -> own.inode() == listener.inode()))
                .map(Listener::toString)
                .distinct()
                .sorted()
                .forEach(open::add);
        return Answer.failIf(
                        !open.isEmpty(),
                        Answer.ENGINE,
                        "containers reach these services of the host: " + Excerpt.list(open),
                        "no TCP service of the host listens where containers could reach it")
                .truth("/proc/PID/net/tcp", open.isEmpty() ? "none" : Excerpt.list(open));
    }
}
