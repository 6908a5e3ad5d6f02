package dev.caisson.launch;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.FileSystemSpace;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.Rlimit;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A directory that reads like the /proc of a host with one container in it, which is exactly as its plan says; a test
/// then changes one line. Files replace what the kernel would answer.
final class FakeProcess {
    static final int INIT = 100;
    static final int PROGRAM = 101;
    static final String GROUP = "caisson/0123";
    /// A mount of a directory without room for a file.
    static final String EMPTY = "ro,nosuid,nodev,noexec,relatime - tmpfs ro,nr_inodes=1,mode=555";
    private static final int FIRST_MOUNT = 22;

    private final Path proc;
    private final LaunchPlan plan;
    /// Lines of /proc/PID/status by their name.
    final Map<String, String> status = new LinkedHashMap<>();
    /// `PLACE` to `OPTIONS[ PROPAGATION] - TYPE[ OPTIONS_OF_THE_FILE_SYSTEM[ ROOT[ DEVICE]]]`, in their order.
    final Map<String, String> mounts = new LinkedHashMap<>();
    /// The same, `PLACE OPTIONS…`, mounted after all those.
    final List<String> later = new ArrayList<>();
    final Map<Rlimit.Resource, Rlimit> limits = new LinkedHashMap<>();

    FakeProcess(Path proc, LaunchPlan plan) throws IOException {
        this.proc = proc;
        this.plan = plan;
        for (String directory : List.of("self/ns", "100/ns", "100/task/100", "100/root", "101/ns", "101/root")) {
            Files.createDirectories(proc.resolve(directory));
        }
        for (Namespace namespace : Namespace.values()) {
            Path ofHost = write("self/ns/" + namespace.link(), "");
            for (int process : List.of(INIT, PROGRAM)) {
                Path link = proc.resolve(process + "/ns/" + namespace.link());
                if (plan.namespaces().contains(namespace)) {
                    Files.createFile(link);
                } else {
                    Files.createLink(link, ofHost);
                }
            }
        }
        write("100/task/100/children", PROGRAM + " ");
        write(
                "uid_map",
                "         0 " + plan.ids().base() + "      " + plan.ids().count());
        write(
                "gid_map",
                "         0 " + plan.ids().base() + "      " + plan.ids().count());
        write("oom_score_adj", plan.only(Step.SetOomScoreAdjustment.class).value() + "\n");
        write("cgroup", "12:pids:/" + GROUP + "\n0::/" + GROUP + "\n");
        describe();
    }

    private void describe() {
        Step.SetPrivileges privileges = plan.only(Step.SetPrivileges.class);
        int base = plan.ids().base();
        status.put("Uid", (base + privileges.uid() + "\t").repeat(4));
        status.put("Gid", (base + privileges.gid() + "\t").repeat(4));
        var groups = new ArrayList<String>();
        privileges.supplementaryGroups().stream().sorted().forEach(group -> groups.add("" + (base + group)));
        status.put("Groups", String.join(" ", groups) + " ");
        status.put("NoNewPrivs", plan.has(Step.NoNewPrivileges.class) ? "1" : "0");
        status.put("CapInh", CapabilitySet.NONE.hex());
        status.put("CapPrm", privileges.permitted().hex());
        status.put("CapEff", privileges.permitted().hex());
        status.put("CapBnd", privileges.bounding().hex());
        status.put("CapAmb", CapabilitySet.NONE.hex());
        status.put("Seccomp", plan.has(Step.InstallFilter.class) ? "2" : "0");
        status.put("Seccomp_filters", plan.has(Step.InstallFilter.class) ? "1" : "0");
        mounts.put("/", (plan.has(Step.MakeRootReadOnly.class) ? "ro" : "rw") + ",nodev,relatime - overlay");
        for (Step.MountFileSystem mount : plan.all(Step.MountFileSystem.class)) {
            var options = new ArrayList<String>();
            options.add(mount.flags().contains(MountFlag.READ_ONLY) ? "ro" : "rw");
            mount.flags().stream()
                    .map(MountFlag::option)
                    .filter(option -> !option.equals("ro"))
                    .forEach(options::add);
            options.add("relatime");
            mounts.put(
                    mount.target().absolute(),
                    String.join(",", options) + " - " + mount.fileSystem().type());
        }
        for (Step.MountSlot mount : plan.all(Step.MountSlot.class)) {
            mounts.put(mount.target().absolute(), "ro,nosuid,nodev,relatime - overlay");
        }
        boolean directory = true;
        for (Step.Mask mask : plan.all(Step.Mask.class)) {
            mounts.put(mask.path().absolute(), directory ? EMPTY : nullDevice("/null"));
            directory = !directory;
        }
        for (Step.MakeReadOnly make : plan.all(Step.MakeReadOnly.class)) {
            mounts.merge(
                    make.path().absolute(),
                    "ro,nosuid,nodev,noexec,relatime - proc",
                    (here, _) -> here.replaceFirst("^rw,", "ro,"));
        }
        for (Rlimit.Resource resource : Rlimit.Resource.values()) {
            limits.put(resource, new Rlimit(resource, Rlimit.UNLIMITED, Rlimit.UNLIMITED));
        }
        plan.all(Step.SetResourceLimit.class)
                .forEach(set -> limits.put(set.limit().resource(), set.limit()));
    }

    /// A file of the host's /dev as a mount.
    static String nullDevice(String root) {
        try (Fd device = FileSystem.open("/dev/null", FileSystem.O_PATH)) {
            long fileSystem = FileSystem.status(device).fileSystem();
            return "rw,nosuid,noexec,relatime - devtmpfs rw,mode=755 %s %d:%d"
                    .formatted(root, fileSystem >>> 32, (int) fileSystem);
        }
    }

    /// Replaces a file of the program and of init, or one of those by its number.
    Path write(String name, String text) {
        try {
            if (Character.isDigit(name.charAt(0)) || name.startsWith("self")) {
                return Files.writeString(proc.resolve(name), text);
            }
            Files.writeString(proc.resolve(INIT + "/" + name), text);
            return Files.writeString(proc.resolve(PROGRAM + "/" + name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path root() {
        return proc.resolve(PROGRAM + "/root");
    }

    Path namespace(Namespace namespace, boolean ofHost) {
        return proc.resolve((ofHost ? "self" : "" + PROGRAM) + "/ns/" + namespace.link());
    }

    /// What the file system of the container's root has room for.
    FileSystemSpace space() {
        try (Fd root = FileSystem.open(root().toString(), FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return FileSystemSpace.of(root);
        }
    }

    void store() {
        var text = new StringBuilder("Name:\tx\n");
        status.forEach(
                (name, value) -> text.append(name).append(":\t").append(value).append('\n'));
        write("status", text.toString());
        var lines = new ArrayList<String>();
        var ids = new LinkedHashMap<String, Integer>();
        mounts.forEach((place, rest) -> mount(place, rest, ids, lines));
        for (String mount : later) {
            String[] parts = mount.split(" ", 2);
            mount(parts[0], parts[1], ids, lines);
        }
        write("mountinfo", String.join("\n", lines) + "\n");
        write("limits", HostFactsText.limits(limits));
    }

    /// Mounts on what is seen at a place, as the kernel does.
    /// @param ids the mounts that are seen, by their places
    private static void mount(String place, String rest, Map<String, Integer> ids, List<String> lines) {
        String above = place;
        while (!ids.containsKey(above) && !above.equals("/")) {
            above = above.substring(0, Math.max(above.lastIndexOf('/'), 1));
            above = above.isEmpty() ? "/" : above;
        }
        int parent = ids.getOrDefault(above, 1);
        ids.keySet().removeIf(other -> other.startsWith(place.equals("/") ? place : place + "/"));
        int id = FIRST_MOUNT + lines.size();
        ids.put(place, id);
        String[] parts = rest.split(" - ", -1);
        List<String> ofFileSystem = List.of(parts[1].split(" ", -1));
        var defaults = new ArrayList<>(List.of("none", "rw", "/", "0:20"));
        for (int i = 1; i < ofFileSystem.size(); i++) {
            defaults.set(i, ofFileSystem.get(i));
        }
        lines.add("%d %d %s %s %s %s - %s none %s"
                .formatted(
                        id,
                        parent,
                        defaults.get(3),
                        defaults.get(2),
                        place,
                        parts[0],
                        ofFileSystem.getFirst(),
                        defaults.get(1)));
    }

    Verifier verifier() {
        return verifier(Duration.ofSeconds(10));
    }

    Verifier verifier(Duration patience) {
        store();
        return new Verifier(plan, proc, patience);
    }

    List<Verifier.Check> running() {
        return verifier().running(INIT, GROUP);
    }

    List<Verifier.Check> beforeStart() {
        return verifier().beforeStart(INIT);
    }
}
