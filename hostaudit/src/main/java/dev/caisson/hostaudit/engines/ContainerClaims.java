package dev.caisson.hostaudit.engines;

import dev.caisson.hostaudit.facts.ContainerFacts.Claims;
import dev.caisson.hostaudit.facts.ContainerFacts.MountClaim;
import dev.caisson.hostaudit.facts.ContainerFacts.Publication;
import dev.caisson.hostaudit.facts.Numbers;
import dev.caisson.hostaudit.facts.Tree;
import dev.caisson.hostaudit.secrets.Variables;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/// Reads what the engine's API says of a container.
public final class ContainerClaims {
    private static final Set<String> OPENING = Set.of("systempaths=unconfined", "unmask=all", "unmask=ALL");

    /// A binding to every address and a port that the engine chooses.
    private static final Tree ANYWHERE = new Tree(List.of(Map.of()));

    private ContainerClaims() {}

    /// Reads a container's record.
    ///
    /// @param log podman's own answer about its log, which the one for Docker's clients does not have
    public static Claims of(Tree container, Tree log) {
        Tree host = container.at("HostConfig");
        Tree config = container.at("Config");
        return new Claims(
                container.at("State", "Pid").number(0),
                config.at("User").textOr(""),
                host.at("Privileged").truth(),
                host.at("CapAdd").texts(),
                host.at("CapDrop").texts(),
                host.at("SecurityOpt").texts(),
                container.at("AppArmorProfile").textOr(""),
                host.at("NetworkMode").textOr(""),
                host.at("PidMode").textOr(""),
                host.at("IpcMode").textOr(""),
                host.at("UTSMode").textOr(""),
                host.at("UsernsMode").textOr(""),
                host.at("CgroupParent").textOr(""),
                host.at("Memory").number(0),
                host.at("NanoCpus").number(0),
                host.at("CpuQuota").number(0),
                host.at("CpuPeriod").number(0),
                host.at("CpuShares").number(0),
                host.at("CpusetCpus").textOr(""),
                host.at("PidsLimit").number(0),
                host.at("ReadonlyRootfs").truth(),
                host.at("RestartPolicy", "Name").textOr(""),
                host.at("RestartPolicy", "MaximumRetryCount").number(0),
                host.at("Devices").list().stream()
                        .map(device -> device.at("PathOnHost").textOr("") + ":"
                                + device.at("PathInContainer").textOr("") + ":"
                                + device.at("CgroupPermissions").textOr(""))
                        .toList(),
                host.at("DeviceCgroupRules").texts(),
                host.at("DeviceRequests").list().stream()
                        .map(request -> request.at("Driver").textOr("") + " "
                                + request.at("Count").textOr(""))
                        .toList(),
                host.at("Ulimits").list().stream()
                        .map(limit -> limit.at("Name").textOr("") + "="
                                + limit.at("Soft").textOr("") + ":"
                                + limit.at("Hard").textOr(""))
                        .sorted()
                        .toList(),
                container.at("Mounts").list().stream()
                        .map(mount -> new MountClaim(
                                mount.at("Type").textOr(""),
                                mount.at("Source").textOr(""),
                                mount.at("Destination").textOr(""),
                                mount.at("RW").truth(),
                                mount.at("Propagation").textOr("")))
                        .sorted(Comparator.comparing(MountClaim::target))
                        .toList(),
                ports(
                        container.at("NetworkSettings", "Ports").map(),
                        // an internal network publishes nothing
                        container.at("State", "Running").truth() ? Map.of() : wanted(host, config)),
                config.at("ExposedPorts").map().keySet().stream().sorted().toList(),
                log.at("Type").textOr(host.at("LogConfig", "Type").textOr("")),
                Variables.withoutSecrets(
                        logOptions(host.at("LogConfig", "Config").textMap(), log)),
                host.at("StorageOpt").textMap(),
                Variables.arguments(config.at("Healthcheck", "Test").texts()),
                container.at("State", "Health", "Status").textOr(""),
                Variables.arguments(
                        Stream.concat(config.at("Entrypoint").texts().stream(), config.at("Cmd").texts().stream())
                                .toList()),
                Variables.withoutSecrets(config.at("Env").texts()),
                Variables.withoutSecrets(config.at("Labels").textMap()),
                container.at("NetworkSettings", "Networks").map().keySet().stream()
                        .sorted()
                        .toList(),
                opensKernelPaths(host));
    }

    /// Docker's record has an empty list then, and no list at all for a privileged container; podman's has the option.
    private static boolean opensKernelPaths(Tree host) {
        Tree readOnly = host.at("ReadonlyPaths");
        return (readOnly.isList() && readOnly.list().isEmpty())
                || host.at("SecurityOpt").texts().stream().anyMatch(OPENING::contains);
    }

    /// The bindings that it gets when it is started: those of the command line, and with `--publish-all` one for every
    /// exposed port.
    private static Map<String, Tree> wanted(Tree host, Tree config) {
        Map<String, Tree> all = new TreeMap<>();
        if (host.at("PublishAllPorts").truth()) {
            config.at("ExposedPorts").map().keySet().forEach(port -> all.put(port, ANYWHERE));
        }
        all.putAll(host.at("PortBindings").map());
        return all;
    }

    private static Map<String, String> logOptions(Map<String, String> options, Tree log) {
        String size = log.at("Size").textOr("");
        return size.isEmpty() || size.equals("0B") ? options : Map.of("max-size", size);
    }

    /// Those in force while it runs; those that were asked for where the engine lists none, as for a
    /// stopped one.
    private static List<Publication> ports(Map<String, Tree> live, Map<String, Tree> wanted) {
        var all = new ArrayList<Publication>();
        Map<String, Tree> bound =
                live.values().stream().anyMatch(port -> !port.list().isEmpty()) ? live : wanted;
        bound.forEach((port, bindings) -> bindings.list()
                .forEach(binding -> all.add(new Publication(
                        port, binding.at("HostIp").textOr(""), (int) Tree.parse(binding.at("HostPort")
                                        .text()
                                        .filter(Numbers::isNumber)
                                        .orElse("0"))
                                .number(0)))));
        all.sort(Comparator.comparing(Publication::port)
                .thenComparing(Publication::hostAddress)
                .thenComparingInt(Publication::hostPort));
        return all;
    }
}
