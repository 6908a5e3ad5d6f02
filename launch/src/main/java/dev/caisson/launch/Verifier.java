package dev.caisson.launch;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.FileSystemSpace;
import dev.caisson.linux.KernelText;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Rlimit;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.StringTokenizer;
import java.util.concurrent.locks.LockSupport;

/// Reads from the kernel what a container really has, and compares it with its plan.
///
/// Everything comes from /proc by descriptors of the container's own process: proc(5), namespaces(7),
/// user_namespaces(7).
public final class Verifier {
    /// One thing that was compared.
    ///
    /// @param outcome whether the kernel has what the plan says
    public record Check(String subject, String planned, String found, Outcome outcome) {
        public Check(String subject, String planned, String found, boolean asPlanned) {
            this(subject, planned, found, asPlanned ? Outcome.AS_PLANNED : Outcome.DIFFERENT);
        }

        /// Returns one that could not be made.
        /// @param reason continues "not evaluated, because"
        static Check notEvaluated(String subject, String planned, String reason) {
            return new Check(subject, planned, reason, Outcome.NOT_EVALUATED);
        }

        public boolean asPlanned() {
            return outcome == Outcome.AS_PLANNED;
        }

        static Check of(String subject, String planned, String found) {
            return new Check(subject, planned, found, planned.equals(found));
        }
    }

    /// The result of a comparison.
    public enum Outcome {
        AS_PLANNED,
        DIFFERENT,
        /// The kernel did not answer now: [Check#found] says why.
        NOT_EVALUATED
    }

    private static final long PAGE = 4096;
    private static final int MAX_PROC_FILE = 1 << 20;
    private static final Duration START_PATIENCE = Duration.ofSeconds(10);
    private static final long PAUSE_NANOS = 1_000_000;

    private final LaunchPlan plan;
    private final Path proc;
    private final Duration patience;
    private final Map<Namespace, Long> host;

    public Verifier(LaunchPlan plan) {
        this(plan, Path.of("/proc"), START_PATIENCE);
    }

    /// @param proc where procfs is mounted
    /// @param patience how long a program may take to have its filter
    Verifier(LaunchPlan plan, Path proc, Duration patience) {
        this(plan, proc, patience, namespaces(proc.resolve("self")));
    }

    private Verifier(LaunchPlan plan, Path proc, Duration patience, Map<Namespace, Long> host) {
        this.plan = plan;
        this.proc = proc;
        this.patience = patience;
        this.host = host;
    }

    /// A verifier of another plan that knows the host's namespaces already.
    public Verifier with(LaunchPlan other) {
        return new Verifier(other, proc, patience, host);
    }

    /// Checks what is known of init right before the program: namespaces, maps, ids, capabilities, links.
    /// @param pid of the container's process 1, not yet reaped
    public List<Check> beforeStart(int pid) {
        try (Fd process = process(pid)) {
            var checks = new ArrayList<Check>();
            checkNamespaces(process, checks);
            Map<String, String> status = status(process);
            checkIdentity(process, status, checks);
            checkCapabilities(status, checks);
            checks.addAll(LinkCheck.of(process, plan));
            return checks;
        }
    }

    /// Everything, of a container whose program runs.
    /// @param pid of the container's process 1
    public List<Check> running(int pid, Cgroup group) {
        return running(pid, group.path());
    }

    List<Check> running(int pid, String group) {
        var checks = new ArrayList<Check>();
        int program = program(pid);
        try (Fd process = process(program)) {
            checkNamespaces(process, checks);
            Map<String, String> status = status(process);
            checkIdentity(process, status, checks);
            checkCapabilities(status, checks);
            checkFilter(status, checks);
            plan.all(Step.InstallFilter.class)
                    .forEach(install -> checks.add(FilterCheck.of(install.program(), program)));
            checkMounts(process, checks);
            checks.addAll(LinkCheck.of(process, plan));
            checkProcessLimits(process, checks);
            checkGroup(process, group, checks);
        }
        return checks;
    }

    /// The program's pid: init's first child, or process 1 itself where no init stays.
    ///
    /// Between the start and the program lies a moment in which init has no child yet,
    /// or one without its filter. It is waited for, ten seconds at most: that moment is only
    /// so long in a container that was paused in it.
    public int program(int pid) {
        if (!plan.only(Step.Execute.class).initStays()) {
            return pid;
        }
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            String children = children(pid);
            boolean stands = !children.isEmpty() && hasItsFilter(first(children));
            if (stands || System.nanoTime() > deadline) {
                if (children.isEmpty()) {
                    throw new HostException("PROGRAM_ENDED", "the container's program has ended");
                }
                return first(children);
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private static int first(String children) {
        return Integer.parseInt(children.split(" ", -1)[0]);
    }

    private String children(int pid) {
        try (Fd process = process(pid)) {
            return text(process, "task/" + pid + "/children").strip();
        }
    }

    private boolean hasItsFilter(int pid) {
        if (!plan.has(Step.InstallFilter.class)) {
            return true;
        }
        try (Fd process = process(pid)) {
            return status(process).getOrDefault("Seccomp", "").equals("2");
        }
    }

    private Fd process(int pid) {
        try {
            return FileSystem.open(
                    proc.resolve(Integer.toString(pid)).toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY);
        } catch (ErrnoException e) {
            throw new HostException("PROGRAM_ENDED", "the container's process is gone", e);
        }
    }

    private static Map<Namespace, Long> namespaces(Path process) {
        try (Fd directory = FileSystem.open(process.toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            var inodes = new EnumMap<Namespace, Long>(Namespace.class);
            for (Namespace namespace : Namespace.values()) {
                inode(directory, namespace).ifPresent(inode -> inodes.put(namespace, inode));
            }
            return inodes;
        }
    }

    private static Optional<Long> inode(Fd process, Namespace namespace) {
        try {
            return Optional.of(
                    FileSystem.statusOfTarget(process, "ns/" + namespace.link()).inode());
        } catch (ErrnoException e) {
            // A kernel without this kind of namespace has no such link.
            return Optional.empty();
        }
    }

    private void checkNamespaces(Fd process, List<Check> checks) {
        for (Namespace namespace : Namespace.values()) {
            Optional<Long> inode = inode(process, namespace);
            Long ofHost = host.get(namespace);
            if (ofHost == null) {
                checks.add(new Check(namespace + " namespace", "not in this kernel", "not in this kernel", true));
                continue;
            }
            boolean own = inode.isPresent() && !inode.get().equals(ofHost);
            String found = inode.map(number -> (own ? "own " : "shared ") + number + " (host " + ofHost + ")")
                    .orElse("unreadable");
            String planned = plan.namespaces().contains(namespace) ? "own" : "shared";
            checks.add(new Check(namespace + " namespace", planned, found, found.startsWith(planned)));
        }
    }

    private void checkIdentity(Fd process, Map<String, String> status, List<Check> checks) {
        String map = "0 " + plan.ids().base() + " " + plan.ids().count();
        checks.add(Check.of("uid map", map, squeeze(text(process, "uid_map"))));
        checks.add(Check.of("gid map", map, squeeze(text(process, "gid_map"))));
        Step.SetPrivileges privileges = plan.only(Step.SetPrivileges.class);
        int base = plan.ids().base();
        checks.add(Check.of("user", four(base + privileges.uid()), squeeze(status.getOrDefault("Uid", ""))));
        checks.add(Check.of("group", four(base + privileges.gid()), squeeze(status.getOrDefault("Gid", ""))));
        String groups = String.join(
                " ",
                privileges.supplementaryGroups().stream()
                        .sorted()
                        .map(group -> Integer.toString(base + group))
                        .toList());
        checks.add(Check.of("supplementary groups", groups, squeeze(status.getOrDefault("Groups", ""))));
        checks.add(Check.of(
                "no_new_privs",
                plan.has(Step.NoNewPrivileges.class) ? "1" : "0",
                status.getOrDefault("NoNewPrivs", "")));
    }

    private static String four(int id) {
        return (id + " ").repeat(3) + id;
    }

    private void checkCapabilities(Map<String, String> status, List<Check> checks) {
        Step.SetPrivileges privileges = plan.only(Step.SetPrivileges.class);
        String permitted = privileges.permitted().hex();
        checks.add(Check.of("capabilities bounding", privileges.bounding().hex(), status.getOrDefault("CapBnd", "")));
        checks.add(Check.of("capabilities permitted", permitted, status.getOrDefault("CapPrm", "")));
        checks.add(Check.of("capabilities effective", permitted, status.getOrDefault("CapEff", "")));
        String none = CapabilitySet.NONE.hex();
        checks.add(Check.of("capabilities inheritable", none, status.getOrDefault("CapInh", "")));
        checks.add(Check.of("capabilities ambient", none, status.getOrDefault("CapAmb", "")));
    }

    private void checkFilter(Map<String, String> status, List<Check> checks) {
        boolean filtered = plan.has(Step.InstallFilter.class);
        String found = "mode " + status.getOrDefault("Seccomp", "?") + ", "
                + status.getOrDefault("Seccomp_filters", "?") + " filters";
        boolean asPlanned = filtered
                ? found.startsWith("mode 2, ") && !found.startsWith("mode 2, 0")
                : found.equals("mode 0, 0 filters");
        checks.add(new Check("seccomp", filtered ? "mode 2, 1 filter" : "mode 0, 0 filters", found, asPlanned));
    }

    private void checkMounts(Fd process, List<Check> checks) {
        var mounts = new MountCheck(process, plan, new MountTable(text(process, "mountinfo")));
        checks.add(mounts.root());
        checkWritableLayer(process, checks);
        checks.addAll(mounts.volumes());
        checks.addAll(mounts.fileSystems());
        for (Step.PlaceDevice place : plan.all(Step.PlaceDevice.class)) {
            checks.add(Check.of("device " + place.target(), place.node().toString(), device(process, place.target())));
        }
        checks.addAll(mounts.protections());
    }

    private void checkWritableLayer(Fd process, List<Check> checks) {
        try (Fd root = FileSystem.openAt(process, "root", FileSystem.O_PATH | FileSystem.O_DIRECTORY, 0, 0)) {
            FileSystemSpace space = FileSystemSpace.of(root);
            long bytes = (plan.root().bytes() + PAGE - 1) / PAGE * PAGE;
            checks.add(new Check(
                    "writable layer",
                    "at most " + bytes + " bytes and " + plan.root().inodes() + " files",
                    space.bytes() + " bytes and " + space.inodes() + " files",
                    space.bytes() <= bytes
                            && space.inodes() > 0
                            && space.inodes() <= plan.root().inodes()));
        }
    }

    /// Nothing of the container is followed, and a device is not opened.
    private static Optional<FileStatus> status(Fd process, InRootPath path) {
        try (Fd root = FileSystem.openAt(process, "root", FileSystem.O_PATH, 0, 0);
                Fd file = FileSystem.openAt(
                        root,
                        path.relative(),
                        FileSystem.O_PATH,
                        0,
                        FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_SYMLINKS)) {
            return Optional.of(FileSystem.status(file));
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    private static String device(Fd process, InRootPath path) {
        return status(process, path)
                .map(file -> DeviceNode.of(file).map(DeviceNode::toString).orElse("no device"))
                .orElse("missing");
    }

    private void checkProcessLimits(Fd process, List<Check> checks) {
        Map<Rlimit.Resource, Rlimit> found = HostFacts.limits(text(process, "limits"));
        for (Step.SetResourceLimit set : plan.all(Step.SetResourceLimit.class)) {
            checks.add(Check.of(
                    "limit " + set.limit().resource(),
                    set.limit().toString(),
                    String.valueOf(found.get(set.limit().resource()))));
        }
        checks.add(Check.of(
                "oom_score_adj",
                Integer.toString(plan.only(Step.SetOomScoreAdjustment.class).value()),
                text(process, "oom_score_adj").strip()));
    }

    private static void checkGroup(Fd process, String group, List<Check> checks) {
        String membership = text(process, "cgroup");
        long lines = KernelText.lines(membership)
                .filter(line -> line.endsWith(group))
                .count();
        checks.add(new Check("control group", group, lines + " hierarchies at " + group, lines > 0));
    }

    private static Map<String, String> status(Fd process) {
        var fields = new HashMap<String, String>();
        KernelText.lines(text(process, "status")).forEach(line -> {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
            }
        });
        return fields;
    }

    private static String squeeze(String text) {
        var words = new StringJoiner(" ");
        var tokens = new StringTokenizer(text);
        while (tokens.hasMoreTokens()) {
            words.add(tokens.nextToken());
        }
        return words.toString();
    }

    /// Returns the text of a file of /proc/PID; empty if there is none of that name, or no such process.
    static Optional<String> textIfThere(Fd process, String name) {
        try {
            return Optional.of(text(process, name));
        } catch (HostException e) {
            if (e.getCause() instanceof ErrnoException failure && failure.is(Errno.ENOENT)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    static String text(Fd process, String name) {
        try (Fd file = FileSystem.openAt(process, name, FileSystem.O_RDONLY, 0, FileSystem.RESOLVE_BENEATH)) {
            return ByteText.of(FileSystem.read(file, MAX_PROC_FILE));
        } catch (ErrnoException e) {
            throw new HostException("PROGRAM_ENDED", "the container's process is gone (" + e.getMessage() + ")", e);
        }
    }
}
