package dev.caisson.hostaudit.facts;

import dev.caisson.hostaudit.facts.EngineFacts.Listener;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// A container: what the engine says of it and what the kernel does with its processes.
///
/// @param reach what the records of Caisson say of its own container
/// @param truth absent where it does not run, or the kernel's view could not be read for `truthReason`
public record ContainerFacts(
        String id,
        String name,
        String image,
        String imageId,
        String state,
        long created,
        Claims claims,
        Optional<Reach> reach,
        Optional<Truth> truth,
        String truthReason) {
    public static final Set<Long> DEFAULT_SHARES = Set.of(-1L, 0L, 100L, 1024L);
    /// Microseconds, cpu.cfs_period_us.
    private static final long DEFAULT_PERIOD = 100_000;

    /// The engine's record.
    ///
    /// @param kernelPathsOpen true if it asked for `/proc` and `/sys` without read-only and masked paths
    public record Claims(
            long pid,
            String user,
            boolean privileged,
            List<String> addedCapabilities,
            List<String> droppedCapabilities,
            List<String> securityOptions,
            String appArmorProfile,
            String networkMode,
            String pidMode,
            String ipcMode,
            String utsMode,
            String userMode,
            String cgroupParent,
            long memory,
            long nanoCpus,
            long cpuQuota,
            long cpuPeriod,
            long cpuShares,
            String cpuset,
            long pids,
            boolean readOnlyRoot,
            String restart,
            long restartCount,
            List<String> devices,
            List<String> deviceRules,
            List<String> deviceRequests,
            List<String> ulimits,
            List<MountClaim> mounts,
            List<Publication> ports,
            List<String> exposedPorts,
            String logDriver,
            Map<String, String> logOptions,
            Map<String, String> storageOptions,
            List<String> healthTest,
            String health,
            List<String> command,
            List<String> environment,
            Map<String, String> labels,
            List<String> networks,
            boolean kernelPathsOpen) {
        /// Returns the bounding set that these options ask for.
        public long boundingSet() {
            if (privileged()) {
                return Capability.ALL;
            }
            long dropped = Capability.mask(droppedCapabilities());
            long added = Capability.mask(addedCapabilities());
            if (addedCapabilities().stream().anyMatch("ALL"::equalsIgnoreCase)) {
                return Capability.ALL & ~dropped;
            }
            return (Capability.DOCKER_DEFAULT & ~dropped) | added;
        }

        /// Returns the CPU time of quota and period, or of `--cpus`, in thousandths of a processor; 0 without a limit.
        public long cpus() {
            if (nanoCpus() > 0) {
                return nanoCpus() / 1_000_000;
            }
            long period = cpuPeriod() > 0 ? cpuPeriod() : DEFAULT_PERIOD;
            return cpuQuota() > 0 ? cpuQuota() * 1000 / period : 0;
        }

        public String cpuText() {
            long cpus = cpus();
            return (cpus > 0 ? cpus / 1000.0 + " processors by quota" : "no quota")
                    + ", shares " + cpuShares()
                    + ", set " + (cpuset().isEmpty() ? "all" : cpuset());
        }

        /// True if these options bound the CPU time on a machine with that many processors.
        public boolean boundsCpu(int processors) {
            long cpus = cpus();
            return (cpus > 0 && cpus < processors * 1000L)
                    || (!cpuset().isEmpty() && Numbers.inRanges(cpuset()) < processors)
                    || !DEFAULT_SHARES.contains(cpuShares());
        }
    }

    /// A mount as asked for.
    public record MountClaim(String type, String source, String target, boolean writable, String propagation) {}

    /// How a container of Caisson can be reached.
    ///
    /// @param internal true if all its networks are
    /// @param undeclared published ports that its image does not expose; absent if there is no list of these
    public record Reach(boolean internal, Optional<List<String>> undeclared) {}

    /// A port of the container that the host gives on.
    public record Publication(String port, String hostAddress, int hostPort) {}

    /// A container as the kernel shows it.
    ///
    /// @param cgroup path of its control group
    /// @param processes all of them, process 1 first
    /// @param sharesHost kinds of namespaces that process 1 shares with the host or the engine
    /// @param uidMap of its user namespace: inside, outside, count
    /// @param rlimits soft and hard by name, as `Max open files`
    /// @param sockets engine sockets that can be reached from inside, with the path
    /// @param filter the seccomp profile that the runtime was given, or why it is not known
    public record Truth(
            String cgroup,
            List<Task> processes,
            List<String> sharesHost,
            List<Long> uidMap,
            List<Mount> mounts,
            Limits limits,
            Map<String, String> rlimits,
            List<Listener> listeners,
            List<Reached> sockets,
            List<String> deviceNodes,
            List<String> deviceRules,
            Filter filter) {
        public Task init() {
            return processes.getFirst();
        }

        /// Its own processes, without those that somebody started in it from outside.
        public List<Task> own() {
            return processes.stream().filter(process -> !process.entered()).toList();
        }

        /// Those that somebody started in it from outside, as `docker exec` does.
        List<Task> entered() {
            return processes.stream().filter(Task::entered).toList();
        }

        /// True if capabilities of a process hold in the same user namespace as process 1's. Everybody may make a
        /// nested one, and has all capabilities there and none outside.
        public boolean sameUsers(Task process) {
            return Objects.equals(
                    process.namespaces().get("user"), init().namespaces().get("user"));
        }

        /// True if some user inside is root of the host: in the host's own user namespace, or in one that maps it.
        public boolean rootIsHosts() {
            if (sharesHost.contains("user")) {
                return true;
            }
            for (int at = 1; at < uidMap.size(); at += 3) {
                if (uidMap.get(at) == 0) {
                    return true;
                }
            }
            return false;
        }
    }

    /// A process of the container.
    ///
    /// @param uids real, effective, saved and file system uid as the first user namespace sees them
    /// @param label of AppArmor or SELinux, empty without
    /// @param secrets kinds and names of what stands in its command line, or in the environment of who entered
    /// @param entered whether a process outside of the container started it there
    public record Task(
            long pid,
            String name,
            String executable,
            List<Long> uids,
            List<Long> gids,
            long inheritable,
            long permitted,
            long effective,
            long bounding,
            long ambient,
            boolean noNewPrivileges,
            int seccompMode,
            int seccompFilters,
            Map<String, Long> namespaces,
            String label,
            boolean entered,
            List<String> secrets) {}

    /// A mount as it is.
    ///
    /// @param device major:minor of the file system
    /// @param root the directory of that file system which is mounted
    /// @param options of the mount
    /// @param peers propagation, as `shared:7`
    /// @param hostPath where the host has the same directory, empty where nowhere
    /// @param holds sensitive directories of the host that lie below it
    public record Mount(
            String device,
            String root,
            String point,
            String options,
            String peers,
            String type,
            String source,
            String hostPath,
            List<String> holds,
            boolean sharedWithHost) {
        public boolean readOnly() {
            return (options + ",").startsWith("ro,");
        }
    }

    /// Limits in force: the least over the group and all above it; -1 is none.
    ///
    /// @param cpus of the quota, in thousandths
    /// @param cpuset processors, as `0-1`
    public record Limits(
            long memory, String memoryHolder, long pids, String pidsHolder, long cpus, long cpuShares, int cpuset) {}

    /// A socket of an engine within reach.
    ///
    /// @param writable false if `path` is a directory that may hold the socket, of which not all was looked at
    public record Reached(String engine, String socket, String path, boolean writable) {}

    /// The system calls that a filter lets through.
    ///
    /// @param source where it was read, empty where nothing is known
    /// @param allowed dangerous system calls that it lets through whatever their arguments
    public record Filter(String source, String reason, List<String> allowed) {
        public static Filter unknown(String reason) {
            return new Filter("", reason, List.of());
        }
    }

    public boolean running() {
        return truth.isPresent();
    }

    /// True if it has processes, as far as the engine knows. One that is restarted again and again has none most of
    /// the time.
    public boolean runs() {
        return claims.pid() > 0 && !state.equals("restarting");
    }
}
