package dev.caisson.benchmarks;

import dev.caisson.text.Json;
import io.avaje.json.mapper.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// A root file system with busybox in it, and beside it the configuration that asks an OCI runtime for the like of a
/// Caisson container: the same namespaces but the user's, the same filter, limits and hidden paths.
record Bundle(Path directory) {
    private static final Path BUSYBOX = Path.of("/bin/busybox");
    private static final Path PROFILE = Path.of("seccomp/src/main/resources/dev/caisson/seccomp/standard.json");
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final long MEMORY = 1L << 30;
    private static final int PIDS = 512;

    /// Those of the standard container of Caisson.
    private static final List<String> CAPABILITIES = List.of(
            "CAP_CHOWN",
            "CAP_DAC_OVERRIDE",
            "CAP_FOWNER",
            "CAP_FSETID",
            "CAP_KILL",
            "CAP_NET_BIND_SERVICE",
            "CAP_SETGID",
            "CAP_SETUID",
            "CAP_SETPCAP",
            "CAP_SYS_CHROOT");

    private static final List<String> MASKED = List.of(
            "/proc/acpi",
            "/proc/asound",
            "/proc/interrupts",
            "/proc/kcore",
            "/proc/keys",
            "/proc/latency_stats",
            "/proc/sched_debug",
            "/proc/scsi",
            "/proc/timer_list",
            "/proc/timer_stats",
            "/sys/devices/virtual/powercap",
            "/sys/firmware");
    private static final List<String> READ_ONLY =
            List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

    static Bundle make(Path directory) throws IOException {
        var bundle = new Bundle(directory);
        Path root = bundle.root();
        for (String name : List.of("bin", "proc", "sys", "dev", "etc", "tmp")) {
            Files.createDirectories(root.resolve(name));
        }
        Files.copy(BUSYBOX, root.resolve("bin/busybox"));
        for (String name : List.of("sh", "true")) {
            Files.createLink(root.resolve("bin").resolve(name), root.resolve("bin/busybox"));
        }
        Files.writeString(directory.resolve("config.json"), JSON.toJson(configuration()));
        return bundle;
    }

    /// The same in another directory, of a container that sleeps.
    Bundle idle(Path other) throws IOException {
        Files.createDirectories(other);
        String configuration = Files.readString(directory.resolve("config.json"))
                .replace("[\"/bin/true\"]", "[\"/bin/busybox\",\"sleep\",\"600\"]")
                .replace("\"path\":\"rootfs\"", "\"path\":\"" + root() + "\"");
        Files.writeString(other.resolve("config.json"), configuration);
        return new Bundle(other);
    }

    Path root() {
        return directory.resolve("rootfs");
    }

    private static Map<String, Object> configuration() throws IOException {
        Map<String, Object> process = object(
                "user", object("uid", 0, "gid", 0),
                "args", List.of("/bin/true"),
                "cwd", "/",
                "env", List.of("PATH=/bin"),
                "noNewPrivileges", true,
                "capabilities", object("bounding", CAPABILITIES, "effective", CAPABILITIES, "permitted", CAPABILITIES));
        Map<String, Object> linux = object(
                "namespaces",
                        List.of("pid", "network", "ipc", "uts", "mount", "cgroup").stream()
                                .map(type -> object("type", type))
                                .toList(),
                "resources", object("memory", object("limit", MEMORY, "swap", MEMORY), "pids", object("limit", PIDS)),
                "seccomp", filter(),
                "maskedPaths", MASKED,
                "readonlyPaths", READ_ONLY);
        return object(
                "ociVersion",
                "1.0.2",
                "process",
                process,
                "root",
                object("path", "rootfs", "readonly", false),
                "hostname",
                "bench",
                "mounts",
                mounts(),
                "linux",
                linux);
    }

    private static List<Object> mounts() {
        List<String> inert = List.of("nosuid", "noexec", "nodev");
        return List.of(
                mount("/proc", "proc", inert),
                mount("/dev", "tmpfs", List.of("nosuid", "strictatime", "mode=755", "size=65536k")),
                mount("/dev/pts", "devpts", List.of("nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620")),
                mount("/dev/shm", "tmpfs", List.of("nosuid", "noexec", "nodev", "mode=1777", "size=65536k")),
                mount("/dev/mqueue", "mqueue", inert),
                mount("/sys", "sysfs", List.of("nosuid", "noexec", "nodev", "ro")),
                mount("/sys/fs/cgroup", "cgroup", List.of("nosuid", "noexec", "nodev", "relatime", "ro")));
    }

    private static Object mount(String target, String type, List<String> options) {
        return object("destination", target, "type", type, "source", type, "options", options);
    }

    /// The standard profile as the OCI runtime specification writes it, conditions on capabilities decided.
    /// One architecture only: libseccomp takes no rules on arguments of `socket` for i386, a socketcall(2) there.
    private static Map<String, Object> filter() throws IOException {
        Map<?, ?> profile = Json.parseObject(Files.readString(PROFILE), Json.Limits.DEFAULT);
        var rules = new ArrayList<Object>();
        for (Object rule : (List<?>) Objects.requireNonNull(profile.get("syscalls"))) {
            Map<String, Object> fields = fields(rule);
            if (!holds(fields.get("includes"), true) || !holds(fields.get("excludes"), false)) {
                continue;
            }
            for (String condition : List.of("comment", "includes", "excludes")) {
                fields.remove(condition);
            }
            rules.add(fields);
        }
        return object(
                "defaultAction",
                String.valueOf(profile.get("defaultAction")),
                "defaultErrnoRet",
                1,
                "architectures",
                List.of("SCMP_ARCH_X86_64"),
                "syscalls",
                rules);
    }

    private static boolean holds(@org.jspecify.annotations.Nullable Object condition, boolean wanted) {
        if (!(condition instanceof Map<?, ?> map)) {
            return true;
        }
        if (map.get("caps") instanceof List<?> capabilities) {
            boolean held = Set.copyOf(CAPABILITIES).containsAll(capabilities);
            return held == wanted;
        }
        if (map.get("arches") instanceof List<?> architectures) {
            return architectures.contains("amd64") == wanted;
        }
        return wanted;
    }

    private static Map<String, Object> fields(Object map) {
        var fields = new LinkedHashMap<String, Object>();
        ((Map<?, ?>) map).forEach((name, value) -> fields.put(String.valueOf(name), value));
        return fields;
    }

    private static Map<String, Object> object(Object... namesAndValues) {
        var object = new LinkedHashMap<String, Object>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            object.put(String.valueOf(namesAndValues[i]), namesAndValues[i + 1]);
        }
        return object;
    }
}
