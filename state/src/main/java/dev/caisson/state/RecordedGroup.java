package dev.caisson.state;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.KernelSetting;
import dev.caisson.cgroup.Meter;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Usage;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// A container's control group and the record of what it is set to. Neither is changed or read while it is removed.
public final class RecordedGroup {
    private static final Duration FIRST_PATIENCE = Duration.ofMillis(500);

    private final Consumer<ContainerRecord> saved;
    private final Cgroup group;
    private @Nullable ContainerRecord record;
    private @Nullable Meter meter;
    private boolean removed;

    /// @param saved writes a record
    public RecordedGroup(Cgroup group, Consumer<ContainerRecord> saved) {
        this.saved = saved;
        this.group = group;
    }

    /// Writes down what the container is, unless it is removed by then.
    public synchronized void write(Supplier<ContainerRecord> made) {
        if (!removed) {
            record = made.get();
            saved.accept(record);
        }
    }

    /// Returns what was written down last; empty before that, and once it is removed.
    public synchronized Optional<ContainerRecord> record() {
        return removed ? Optional.empty() : Optional.ofNullable(record);
    }

    /// Changes the limits, and the record of them.
    /// @return false if there is no record yet or no group any more
    public synchronized boolean update(Limits limits) {
        ContainerRecord known = record;
        if (known == null || removed) {
            return false;
        }
        group.update(limits, known.settings().stream().map(KernelSetting::parse).toList());
        record = known.limited(group, limits);
        saved.accept(record);
        return true;
    }

    /// Returns what its processes have used so far.
    public synchronized Usage usage() {
        Meter known = meter;
        if (known == null) {
            known = group.meter();
            meter = known;
        }
        return known.read();
    }

    /// Removes the group, then does what has to come after it.
    public synchronized void remove(Runnable after) {
        removed = true;
        if (meter != null) {
            meter.close();
        }
        try {
            group.remove(FIRST_PATIENCE);
        } catch (CgroupException e) {
            if (e.reason() != CgroupException.Code.BUSY) {
                throw e;
            }
            // Outside of its pid namespace, so that they do not end with it, are only processes that were about to run
            // one more program in it.
            group.kill();
            group.remove();
        }
        after.run();
    }
}
