package dev.caisson.cli.view;

import dev.caisson.cli.template.Template;
import dev.caisson.engine.ContainerDetails;
import dev.caisson.engine.ContainerStatus;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.DetachedOptions;
import dev.caisson.engine.LogFiles;
import dev.caisson.engine.NetworkPlaces;
import dev.caisson.engine.RestartPolicy;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Capability;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.HostDevice;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Mount;
import dev.caisson.spec.NameLookup;
import dev.caisson.spec.Network;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.text.AddressText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// `HostConfig` of `inspect`: what a container was asked to be beside its image, with Docker's names and units.
final class HostConfigObject {
    private static final long NANOS_OF_A_SECOND = 1_000_000_000;
    private static final long UNLIMITED = -1;

    private HostConfigObject() {}

    static Map<String, Object> of(
            ContainerStatus status, Optional<DetachedContainer> detached, NetworkPlaces networks) {
        DetachedOptions options = detached.map(DetachedContainer::options).orElse(DetachedOptions.STANDARD);
        Optional<ContainerDetails> details = detached.map(DetachedContainer::details);
        var config = new LinkedHashMap<String, Object>();
        config.put(
                "Binds",
                details.map(ContainerDetails::mounts).orElse(List.of()).stream()
                        .filter(mount -> !mount.startsWith(":"))
                        .toList());
        config.put("NetworkMode", networks.mode());
        config.put("PortBindings", NetworkView.ports(networks.ports()));
        config.put("Links", NetworkView.links(networks, status.name().orElse("")));
        config.put("RestartPolicy", restartPolicy(options.restart()));
        config.put("AutoRemove", options.removedAtEnd());
        config.put("LeaseMillis", options.lease().map(lease -> lease.toMillis()).orElse(0L));
        details.ifPresent(known -> {
            config.put("Privileged", known.privileged());
            config.put("ReadonlyRootfs", known.readOnlyRoot());
            config.put("Init", known.init());
            config.put("Memory", known.memory() == Bytes.UNLIMITED.count() ? 0 : known.memory());
            config.put("PidsLimit", known.pids() == Limits.UNLIMITED_PIDS ? UNLIMITED : known.pids());
        });
        detached.flatMap(DetachedContainer::spec).ifPresent(spec -> {
            putLimits(config, spec.limits());
            putPrivileges(config, spec);
            putFiles(config, spec);
            putNames(config, spec.network());
        });
        config.put("LogConfig", logConfig(options.log()));
        return config;
    }

    private static Map<String, Object> logConfig(LogFiles log) {
        boolean inMemory = log.place() == LogFiles.Place.MEMORY;
        boolean isChosen = !log.equals(inMemory ? LogFiles.IN_MEMORY : LogFiles.STANDARD);
        return Map.of(
                "Type",
                inMemory ? "none" : "json-file",
                "Config",
                isChosen
                        ? Map.of(
                                "max-size",
                                Long.toString(log.most().count()),
                                "max-file",
                                Integer.toString(log.count()))
                        : Map.of());
    }

    private static Map<String, Object> restartPolicy(RestartPolicy restart) {
        var policy = new LinkedHashMap<String, Object>();
        policy.put("Name", restart.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'));
        policy.put("MaximumRetryCount", (long) restart.most());
        return policy;
    }

    private static void putLimits(Map<String, Object> config, Limits limits) {
        config.put("MemorySwap", count(limits.memorySwap()));
        config.put("MemoryReservation", count(limits.memoryReservation()));
        config.put("OomKillDisable", limits.oomKillDisable());
        config.put(
                "NanoCpus",
                limits.cpuQuota()
                        .map(quota -> quota.quotaMicros() * NANOS_OF_A_SECOND / quota.periodMicros())
                        .orElse(0L));
        config.put("CpuShares", (long) limits.cpuShares());
        config.put("CpusetCpus", limits.cpuset().map(Object::toString).orElse(""));
        config.put("CpusetMems", limits.memoryNodes().map(Object::toString).orElse(""));
        config.put("BlkioWeight", (long) limits.ioWeight().orElse(0));
    }

    private static long count(Optional<Bytes> bytes) {
        return bytes.map(most -> most.isUnlimited() ? UNLIMITED : most.count()).orElse(0L);
    }

    private static void putPrivileges(Map<String, Object> config, ContainerSpec spec) {
        config.put("CapAdd", names(spec.addedCapabilities()));
        config.put("CapDrop", names(spec.droppedCapabilities()));
        config.put("GroupAdd", spec.addedGroups());
        var security = new ArrayList<String>();
        if (!spec.newPrivileges()) {
            security.add("no-new-privileges");
        }
        profile(spec.seccomp()).ifPresent(profile -> security.add("seccomp=" + profile));
        config.put("SecurityOpt", security);
        config.put("OomScoreAdj", (long) spec.oomScoreAdjustment());
        config.put("Ulimits", spec.rlimits().stream().map(HostConfigObject::of).toList());
        config.put("Sysctls", new Template.Dictionary(spec.sysctls()));
    }

    private static Optional<String> profile(SeccompChoice choice) {
        return switch (choice) {
            case SeccompChoice.Standard _ -> Optional.empty();
            case SeccompChoice.Strict _ -> Optional.of("strict");
            case SeccompChoice.Unconfined _ -> Optional.of("unconfined");
            case SeccompChoice.Custom custom -> Optional.of(custom.name());
            case SeccompChoice.Watched watched -> profile(watched.choice());
        };
    }

    private static List<String> names(Set<Capability> capabilities) {
        return capabilities.stream().sorted().map(one -> "CAP_" + one.name()).toList();
    }

    private static Map<String, Object> of(Rlimit limit) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("Name", limit.resource().name().toLowerCase(Locale.ROOT));
        fields.put("Hard", limit.hard());
        fields.put("Soft", limit.soft());
        return fields;
    }

    private static void putFiles(Map<String, Object> config, ContainerSpec spec) {
        config.put("ShmSize", spec.sharedMemory().count());
        var memory = new LinkedHashMap<String, String>();
        for (Mount mount : spec.mounts()) {
            if (mount instanceof Mount.Tmpfs tmpfs) {
                memory.put(tmpfs.target().absolute(), options(tmpfs));
            }
        }
        config.put("Tmpfs", new Template.Dictionary(memory));
        config.put("Devices", spec.devices().stream().map(HostConfigObject::of).toList());
    }

    private static String options(Mount.Tmpfs tmpfs) {
        return "size=" + tmpfs.size().count() + ",mode=" + Integer.toOctalString(tmpfs.mode())
                + (tmpfs.readOnly() ? ",ro" : "") + (tmpfs.executable() ? ",exec" : "");
    }

    private static Map<String, Object> of(HostDevice device) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("PathOnHost", device.source().toString());
        fields.put("PathInContainer", device.target().absolute());
        return fields;
    }

    private static void putNames(Map<String, Object> config, Network network) {
        NameLookup names = switch (network) {
            case Network.Joined joined -> joined.names();
            case Network.Host host -> host.names();
            case Network.None _, Network.OfContainer _ -> NameLookup.STANDARD;
        };
        config.put("Dns", names.servers().stream().map(AddressText::of).toList());
        config.put("DnsSearch", names.search());
        config.put("DnsOptions", names.options());
        config.put(
                "ExtraHosts",
                names.hosts().stream()
                        .map(host -> host.name() + ":" + AddressText.of(host.address()))
                        .toList());
    }
}
