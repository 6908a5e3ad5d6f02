package dev.caisson.engine;

import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.cgroup.Meter;
import dev.caisson.network.LinkCounters;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.Usage;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.Groups;
import dev.caisson.state.State;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Measures the running containers of a state directory, whichever process runs them. Reads files of the
/// kernel alone and enters nothing of a container.
public final class Survey implements AutoCloseable {
    /// From here on it pays to read with all processors.
    private static final int MANY = 64;

    /// One container at one moment.
    ///
    /// @param name empty where it has none
    /// @param path of its group, below each tree's root
    /// @param tenant empty where it has none
    public record Sample(
            String id,
            String name,
            String image,
            String path,
            Optional<String> tenant,
            Instant created,
            long nanoTime,
            ContainerUsage usage) {}

    /// The usage of a tenant's containers together, at one moment.
    ///
    /// @param path of the tenant's group, below each tree's root
    /// @param containers of it that were seen running
    /// @param usage with the tenant's ceiling as the limits. It counts what containers used that have
    ///     ended; but killed processes and refused forks only of those that run, in version 1
    public record Total(String tenant, String path, int containers, long nanoTime, Usage usage) {}

    private final EngineOptions options;
    private final Hierarchy hierarchy = Hierarchy.detect();
    private final Map<String, Metered> groups = new ConcurrentHashMap<>();

    private record Metered(String path, Meter meter) {}

    public Survey(EngineOptions options) {
        this.options = options;
    }

    /// Reads all of them now, oldest first. One that ends meanwhile is left out.
    public List<Sample> read() {
        List<ContainerRecord> records = State.runningIn(options.state()).stream()
                .sorted(java.util.Comparator.comparingLong(ContainerRecord::createdMillis))
                .toList();
        Set<String> ids = records.stream().map(ContainerRecord::id).collect(Collectors.toSet());
        groups.entrySet().removeIf(entry -> {
            boolean ended = !ids.contains(entry.getKey());
            if (ended) {
                entry.getValue().meter().close();
            }
            return ended;
        });
        LinkCounters links = HostNetworks.hasAny(options) ? LinkCounters.read() : LinkCounters.none();
        Stream<ContainerRecord> stream = records.size() < MANY ? records.stream() : records.parallelStream();
        return stream.map(record -> read(record, links, records))
                .flatMap(Optional::stream)
                .toList();
    }

    /// Returns the usage of the tenants of `samples`, by name. One that ends meanwhile is left out.
    public List<Total> totals(List<Sample> samples) {
        Map<String, List<Sample>> byTenant = samples.stream()
                .filter(sample -> sample.tenant().isPresent())
                .collect(Collectors.groupingBy(
                        sample -> sample.path().substring(0, sample.path().lastIndexOf('/')),
                        TreeMap::new,
                        Collectors.toList()));
        return byTenant.entrySet().stream()
                .map(tenant -> total(tenant.getKey(), tenant.getValue()))
                .flatMap(Optional::stream)
                .toList();
    }

    private Optional<Total> total(String path, List<Sample> containers) {
        try {
            return hierarchy
                    .findParent(path)
                    .map(group -> new Total(
                            containers.getFirst().tenant().orElseThrow(),
                            path,
                            containers.size(),
                            System.nanoTime(),
                            withEventsOf(containers, group.usage())));
        } catch (CgroupException e) {
            if (e.reason() == CgroupException.Code.NO_SUCH_GROUP) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /// Version 1 counts killed processes and refused forks where they happened, not in the groups above.
    private Usage withEventsOf(List<Sample> containers, Usage usage) {
        if (hierarchy.world() == Hierarchy.World.V2) {
            return usage;
        }
        long kills = containers.stream()
                .flatMap(sample -> sample.usage().group().memory().stream())
                .mapToLong(Usage.Memory::oomKills)
                .sum();
        long refused = containers.stream()
                .flatMap(sample -> sample.usage().group().pids().stream())
                .mapToLong(Usage.Pids::refused)
                .sum();
        return usage.withEvents(kills, refused);
    }

    private Optional<Sample> read(ContainerRecord record, LinkCounters links, List<ContainerRecord> all) {
        try {
            Metered group = groups.computeIfAbsent(
                    record.id(),
                    id -> new Metered(record.cgroupParent() + "/" + id, hierarchy.meter(record.cgroupParent(), id)));
            return Optional.of(new Sample(
                    record.id(),
                    record.name(),
                    record.image(),
                    group.path(),
                    Groups.tenant(record.cgroupParent()),
                    Instant.ofEpochMilli(record.createdMillis()),
                    System.nanoTime(),
                    new ContainerUsage(
                            group.meter().read(), WritableUse.of(record.pid()), traffic(record, links, all))));
        } catch (CgroupException e) {
            if (e.reason() == CgroupException.Code.NO_SUCH_GROUP) {
                Optional.ofNullable(groups.remove(record.id()))
                        .ifPresent(group -> group.meter().close());
                return Optional.empty();
            }
            throw e;
        }
    }

    /// One that shares the network of another container has its links, as in Docker.
    private static List<InterfaceUse> traffic(ContainerRecord record, LinkCounters links, List<ContainerRecord> all) {
        Optional<ContainerRecord> owner =
                record.plan().plan().sharesNetwork() ? SharedNetwork.owner(record.pid(), all) : Optional.of(record);
        return owner.map(one -> links.of(new ContainerId(one.id()))).orElse(List.of());
    }

    @Override
    public void close() {
        groups.values().forEach(group -> group.meter().close());
        hierarchy.close();
    }
}
