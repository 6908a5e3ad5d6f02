package dev.caisson.engine;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Hierarchy;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/// What the running containers of a state directory use, whichever process runs them. Reads files of the
/// kernel alone
/// and enters nothing of a container.
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

    private final EngineOptions options;
    private final Hierarchy hierarchy = Hierarchy.detect();
    private final Map<String, Cgroup> groups = new ConcurrentHashMap<>();

    public Survey(EngineOptions options) {
        this.options = options;
    }

    /// Reads all of them now, oldest first. One that ends meanwhile is left out.
    public List<Sample> read() {
        List<ContainerRecord> records = State.recordsIn(options.state()).stream()
                .filter(record -> record.pid() != 0)
                .sorted(java.util.Comparator.comparingLong(ContainerRecord::createdMillis))
                .toList();
        groups.keySet()
                .retainAll(records.stream().map(ContainerRecord::id).collect(java.util.stream.Collectors.toSet()));
        Stream<ContainerRecord> stream = records.size() < MANY ? records.stream() : records.parallelStream();
        return stream.map(this::read).flatMap(Optional::stream).toList();
    }

    private Optional<Sample> read(ContainerRecord record) {
        try {
            Cgroup group = groups.get(record.id());
            if (group == null) {
                Optional<Cgroup> found = hierarchy.find(record.cgroupParent(), record.id());
                if (found.isEmpty()) {
                    return Optional.empty();
                }
                group = found.get();
                groups.put(record.id(), group);
            }
            return Optional.of(new Sample(
                    record.id(),
                    record.name(),
                    record.image(),
                    group.path(),
                    Groups.tenant(record.cgroupParent()),
                    Instant.ofEpochMilli(record.createdMillis()),
                    System.nanoTime(),
                    new ContainerUsage(group.usage(), WritableUse.of(record.pid()))));
        } catch (CgroupException e) {
            if (e.code() == CgroupException.Code.NO_SUCH_GROUP) {
                return Optional.empty();
            }
            throw e;
        }
    }

    @Override
    public void close() {
        hierarchy.close();
    }
}
