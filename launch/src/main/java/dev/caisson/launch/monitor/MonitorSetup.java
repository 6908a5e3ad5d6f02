package dev.caisson.launch.monitor;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.launch.ExecPlan;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Link;
import dev.caisson.launch.Namespace;
import dev.caisson.launch.Parts;
import dev.caisson.launch.SlotSource;
import dev.caisson.launch.Step;
import dev.caisson.linux.Fd;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The description of a container that its monitor is given: `struct monitor_setup`, and the descriptors that go
/// with it, which stay the caller's to close.
public final class MonitorSetup {
    /// Where a container's output goes.
    ///
    /// @param name of the newest file
    /// @param files at most, the newest included
    /// @param bytes of one file
    public record Log(String name, int files, long bytes) {}

    /// What its standard streams are.
    ///
    /// @param input whether something may be written to it; else it reads an end
    /// @param once whether its input ends with the first client that has written to it
    /// @param owner host id of its user, who may then open /dev/stdout again
    public record Streams(boolean terminal, boolean input, boolean once, int owner) {}

    /// In the order of `enum monitor_fd`, from 1.
    private enum Role {
        SLOT,
        MOUNT,
        CGROUP,
        STATE_DIRECTORY,
        LOG_DIRECTORY,
        HOLD,
        /// Given by [MonitorProcess] before.
        JOIN,
        OUT_OF_MEMORY,
        FREEZE_V2,
        FREEZE_V1,
        PROBE_SLOT,
        PROBE_KILL,
        LAYER,
        REDACTION,
        ANSWERS,
        OUTPUT
    }

    /// How the container's health is checked.
    ///
    /// @param plan of each probe
    /// @param startInterval between probes while the start period goes on and none has succeeded
    /// @param retries failures in a row that make it unhealthy
    public record Health(
            ExecPlan plan,
            Duration interval,
            Duration timeout,
            Duration startPeriod,
            Duration startInterval,
            int retries,
            OnFailure onFailure,
            boolean asks) {
        /// What follows when it becomes unhealthy, in the order of `enum monitor_on_failure`.
        public enum OnFailure {
            NONE,
            KILL,
            RESTART,
            STOP
        }
    }

    private static final int MOST = 200;
    private static final int NAME_BYTES = 96;
    private static final int HEALTH_AT = 40 + MonitorPolicy.BYTES + NAME_BYTES + 4 * MOST;
    private static final int LINKS_AT = HEALTH_AT + 36;
    private static final int BYTES = LINKS_AT + Link.ALL_BYTES;
    private static final int TERMINAL = 1;
    private static final int STDIN_OPEN = 2;
    private static final int STDIN_ONCE = 4;
    private static final int LINKABLE = 16;
    private static final int HOST_NETWORK = 32;
    private static final int PROBES_ASK = 64;
    private static final int WATCH_SET_ID = 128;

    private final LaunchPlan plan;
    private final Streams streams;
    private final Log log;
    private final MonitorPolicy policy;
    private Optional<Health> health = Optional.empty();
    private final List<Fd> descriptors = new ArrayList<>();
    private final List<Role> roles = new ArrayList<>();
    private final List<Integer> slots = new ArrayList<>();
    private boolean linkable;

    public MonitorSetup(LaunchPlan plan, List<Parts.Part> parts, Streams streams, Log log, MonitorPolicy policy) {
        this.plan = plan;
        this.streams = streams;
        this.log = log;
        this.policy = policy;
        parts.forEach(part -> add(part.mount() ? Role.MOUNT : Role.SLOT, part.slot(), part.fd()));
    }

    private void add(Role role, int slot, Fd fd) {
        if (descriptors.size() == MOST) {
            throw new IllegalArgumentException("a monitor takes at most " + MOST + " descriptors");
        }
        descriptors.add(fd);
        roles.add(role);
        slots.add(slot);
    }

    /// Gives it its two directories.
    ///
    /// @param state where its socket goes
    /// @param kept where log and record of the exit go; its lock is held
    public MonitorSetup directories(Fd state, Fd kept) {
        add(Role.STATE_DIRECTORY, 0, state);
        add(Role.LOG_DIRECTORY, 0, kept);
        return this;
    }

    /// Has the log in a directory of its own, apart from the records.
    public MonitorSetup output(Fd directory) {
        add(Role.OUTPUT, 0, directory);
        return this;
    }

    /// Has the parts of the root file system held, for [Monitor#layers].
    ///
    /// @param upper the mount that holds what the container writes
    /// @param lowers the image's directories, topmost first
    public MonitorSetup layers(Fd upper, List<Fd> lowers) {
        add(Role.LAYER, 0, upper);
        for (int i = 0; i < lowers.size(); i++) {
            add(Role.LAYER, i + 1, lowers.get(i));
        }
        return this;
    }

    /// Has a descriptor held, for its lock.
    public MonitorSetup hold(Fd lock) {
        add(Role.HOLD, 0, lock);
        return this;
    }

    /// Gives it what it needs of the container's group.
    ///
    /// @param directory that its processes are cloned into, if the plan says so
    public MonitorSetup group(Cgroup.WatchFiles files, Optional<Fd> directory) {
        directory.ifPresent(fd -> add(Role.CGROUP, 0, fd));
        files.outOfMemory().ifPresent(fd -> add(Role.OUT_OF_MEMORY, 0, fd));
        files.freezer().ifPresent(fd -> add(files.freezerIsUnified() ? Role.FREEZE_V2 : Role.FREEZE_V1, 0, fd));
        return this;
    }

    /// Has its health checked.
    ///
    /// @param plan the sealed plan of a probe
    /// @param joins of the part of the container's group for probes alone, the last one that of the
    ///     unified tree
    /// @param kill `cgroup.kill` of that part, open for writing
    public MonitorSetup health(Health wanted, Fd plan, List<Fd> joins, Fd kill) {
        health = Optional.of(wanted);
        List<SlotSource> sources = wanted.plan().slots();
        for (int slot = 0; slot < sources.size(); slot++) {
            if (sources.get(slot) instanceof SlotSource.Plan) {
                add(Role.PROBE_SLOT, slot, plan);
            } else if (sources.get(slot) instanceof SlotSource.CgroupTasks tasks) {
                add(Role.PROBE_SLOT, slot, joins.get(tasks.index()));
            }
        }
        add(Role.PROBE_KILL, 0, kill);
        return this;
    }

    /// Has it take values of secrets out of output.
    ///
    /// @param table memory with a `struct redaction_table`
    public MonitorSetup redaction(Fd table) {
        add(Role.REDACTION, 0, table);
        return this;
    }

    /// Has it answer what the container's filter asks, and note what was denied.
    ///
    /// @param filter sealed memory with the filter that asks about nothing and gives the same answers
    public MonitorSetup answers(Fd filter) {
        add(Role.ANSWERS, 0, filter);
        return this;
    }

    /// Lets its zygote make links, also if the plan has none yet.
    public MonitorSetup linkable() {
        linkable = true;
        return this;
    }

    List<Fd> descriptors() {
        return List.copyOf(descriptors);
    }

    @SuppressWarnings("EnumOrdinal") // the order is that of the native enum
    byte[] encode() {
        byte[] name = log.name().getBytes(StandardCharsets.UTF_8);
        if (name.length >= NAME_BYTES) {
            throw new IllegalArgumentException("the name of a log is too long: " + log.name());
        }
        byte[] bytes = new byte[BYTES];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(plan.ids().base()).putInt(plan.ids().count()).putLong(Namespace.cloneFlags(plan.madeNamespaces()));
        out.putShort((short) plan.slots().size()).putShort((short) descriptors.size());
        out.putInt(flags()).putInt(streams.owner());
        out.putInt(log.files()).putLong(log.bytes());
        policy.put(out);
        out.put(name);
        out.position(40 + MonitorPolicy.BYTES + NAME_BYTES);
        for (int i = 0; i < descriptors.size(); i++) {
            out.putShort((short) (roles.get(i).ordinal() + 1)).putShort((short) (int) slots.get(i));
        }
        out.position(HEALTH_AT);
        health.ifPresent(wanted -> put(out, wanted));
        if (!plan.links().isEmpty()) {
            Link.putAll(plan.links(), out.position(LINKS_AT));
        }
        return bytes;
    }

    @SuppressWarnings("EnumOrdinal") // the order is that of the native enum
    private static void put(ByteBuffer out, Health health) {
        out.putInt((int) MonitorPolicy.millis(health.interval())).putInt((int) MonitorPolicy.millis(health.timeout()));
        out.putInt((int) MonitorPolicy.millis(health.startPeriod()));
        out.putInt((int) MonitorPolicy.millis(health.startInterval()));
        out.putInt(health.retries()).putInt(health.onFailure().ordinal());
        out.putInt((int) health.plan().namespaces().stream()
                .mapToLong(Namespace::cloneFlag)
                .reduce(0, (one, other) -> one | other));
        out.putShort((short) health.plan().slots().size()).putShort((short) 0);
        out.putInt(health.plan().oomScore());
    }

    private int flags() {
        return (streams.terminal() ? TERMINAL : 0)
                | (streams.input() ? STDIN_OPEN : 0)
                | (streams.once() ? STDIN_ONCE : 0)
                | (linkable ? LINKABLE : 0)
                | (health.filter(Health::asks).isPresent() ? PROBES_ASK : 0)
                | (plan.has(Step.NoNewPrivileges.class) ? WATCH_SET_ID : 0)
                | (plan.usesHostNetwork() ? HOST_NETWORK : 0);
    }
}
