package dev.caisson.launch;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.Landlock;
import dev.caisson.spec.Capability;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.Rlimit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/// The abilities of the host and of the engine's own process, read once: the only thing about the host that planning
/// knows.
///
/// @param kernel release, as `6.12.48+deb13-amd64`
/// @param architecture `x86_64` or `aarch64`
/// @param effectiveUid of the engine
/// @param capabilities effective set of the engine
/// @param hardLimits of the engine's process, [Rlimit#UNLIMITED] where there is none
/// @param oomScoreAdjustment of the engine's process
/// @param landlockAbi 0 where the kernel has none
/// @param timeNamespaces whether the kernel has them
/// @param cgroupMounts what a container is shown below /sys/fs/cgroup
/// @param cgroupJoins the v1 groups that a container's first process enters by itself
/// @param cgroupCloneInto whether it is born inside its group of the unified hierarchy
/// @param layerMedia what can bound a writable layer
public record HostFacts(
        String kernel,
        String architecture,
        int effectiveUid,
        CapabilitySet capabilities,
        Map<Rlimit.Resource, Long> hardLimits,
        int oomScoreAdjustment,
        int landlockAbi,
        boolean timeNamespaces,
        List<KernelFileSystem> cgroupMounts,
        List<String> cgroupJoins,
        boolean cgroupCloneInto,
        Set<LayerMedium> layerMedia) {
    public HostFacts {
        hardLimits = Map.copyOf(hardLimits);
        cgroupMounts = List.copyOf(cgroupMounts);
        cgroupJoins = List.copyOf(cgroupJoins);
        layerMedia = Set.copyOf(layerMedia);
    }

    /// The same host, with what can bound a writable layer in the engine's data directory.
    public HostFacts withLayerMedia(Set<LayerMedium> media) {
        return new HostFacts(
                kernel,
                architecture,
                effectiveUid,
                capabilities,
                hardLimits,
                oomScoreAdjustment,
                landlockAbi,
                timeNamespaces,
                cgroupMounts,
                cgroupJoins,
                cgroupCloneInto,
                media);
    }

    /// The same host for a container with other groups than most have.
    public HostFacts withCgroups(List<KernelFileSystem> mounts, List<String> joins) {
        return new HostFacts(
                kernel,
                architecture,
                effectiveUid,
                capabilities,
                hardLimits,
                oomScoreAdjustment,
                landlockAbi,
                timeNamespaces,
                mounts,
                joins,
                cgroupCloneInto,
                layerMedia);
    }

    /// Reads them from the running kernel.
    public static HostFacts read(
            List<KernelFileSystem> cgroupMounts, List<String> cgroupJoins, boolean cgroupCloneInto) {
        Privilege own = Privilege.read();
        return new HostFacts(
                text("/proc/sys/kernel/osrelease").strip(),
                System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch"),
                own.effectiveUid(),
                own.capabilities(),
                hardLimits(text("/proc/self/limits")),
                Integer.parseInt(text("/proc/self/oom_score_adj").strip()),
                Landlock.abi(),
                Files.exists(Path.of("/proc/self/ns/time")),
                cgroupMounts,
                cgroupJoins,
                cgroupCloneInto,
                Set.of(LayerMedium.MEMORY));
    }

    /// Lines of /proc/self/limits in the order of [Rlimit.Resource], by the names that the kernel prints.
    private static final Map<String, Rlimit.Resource> LIMIT_NAMES = Map.ofEntries(
            Map.entry("Max cpu time", Rlimit.Resource.CPU),
            Map.entry("Max file size", Rlimit.Resource.FSIZE),
            Map.entry("Max data size", Rlimit.Resource.DATA),
            Map.entry("Max stack size", Rlimit.Resource.STACK),
            Map.entry("Max core file size", Rlimit.Resource.CORE),
            Map.entry("Max resident set", Rlimit.Resource.RSS),
            Map.entry("Max processes", Rlimit.Resource.NPROC),
            Map.entry("Max open files", Rlimit.Resource.NOFILE),
            Map.entry("Max locked memory", Rlimit.Resource.MEMLOCK),
            Map.entry("Max address space", Rlimit.Resource.AS),
            Map.entry("Max file locks", Rlimit.Resource.LOCKS),
            Map.entry("Max pending signals", Rlimit.Resource.SIGPENDING),
            Map.entry("Max msgqueue size", Rlimit.Resource.MSGQUEUE),
            Map.entry("Max nice priority", Rlimit.Resource.NICE),
            Map.entry("Max realtime priority", Rlimit.Resource.RTPRIO),
            Map.entry("Max realtime timeout", Rlimit.Resource.RTTIME));

    private static final int NAME_COLUMN = 26;
    private static final Pattern SPACES = Pattern.compile("\\s+");

    private static Map<Rlimit.Resource, Long> hardLimits(String limits) {
        var hard = new EnumMap<Rlimit.Resource, Long>(Rlimit.Resource.class);
        limits(limits).forEach((resource, limit) -> hard.put(resource, limit.hard()));
        return hard;
    }

    /// Reads /proc/PID/limits.
    /// @throws HostException where a resource is missing
    static Map<Rlimit.Resource, Rlimit> limits(String text) {
        var limits = new EnumMap<Rlimit.Resource, Rlimit>(Rlimit.Resource.class);
        text.lines().skip(1).filter(line -> line.length() > NAME_COLUMN).forEach(line -> {
            Rlimit.Resource resource =
                    LIMIT_NAMES.get(line.substring(0, NAME_COLUMN).strip());
            if (resource != null) {
                List<String> values = SPACES.splitAsStream(
                                line.substring(NAME_COLUMN).strip())
                        .toList();
                limits.put(resource, new Rlimit(resource, limit(values.get(0)), limit(values.get(1))));
            }
        });
        if (limits.size() != Rlimit.Resource.values().length) {
            var missing = new TreeSet<>(List.of(Rlimit.Resource.values()));
            missing.removeAll(limits.keySet());
            throw new HostException("PROC_UNREADABLE", "/proc/self/limits does not tell " + missing);
        }
        return limits;
    }

    private static long limit(String text) {
        return text.equals("unlimited") ? Rlimit.UNLIMITED : Long.parseLong(text);
    }

    static String text(String path) {
        try {
            return ByteText.read(Path.of(path));
        } catch (NoSuchFileException e) {
            throw new HostException(
                    "PROC_UNREADABLE",
                    path
                            + " is not there: mount the whole of /proc, without subset=pid, as ProcSubset=pid of a systemd unit does",
                    e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// True where the engine may raise hard limits and lower OOM scores.
    public boolean mayExceedLimits() {
        return capabilities.contains(Capability.SYS_RESOURCE);
    }
}
