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

    private final Path proc;
    private final LaunchPlan plan;
    /// Lines of /proc/PID/status by their name.
    final Map<String, String> status = new LinkedHashMap<>();
    /// `PLACE` to `OPTIONS[ PROPAGATION] - TYPE`, in their order.
    final Map<String, String> mounts = new LinkedHashMap<>();
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
            mounts.put(mount.target().absolute(), String.join(",", options) + " - tmpfs");
        }
        for (Step.MountSlot mount : plan.all(Step.MountSlot.class)) {
            mounts.put(mount.target().absolute(), "ro,nosuid,nodev,relatime - overlay");
        }
        for (Step.Mask mask : plan.all(Step.Mask.class)) {
            mounts.put(mask.path().absolute(), "rw,nosuid,noexec,relatime - devtmpfs");
        }
        for (Step.MakeReadOnly make : plan.all(Step.MakeReadOnly.class)) {
            mounts.put(make.path().absolute(), "ro,nosuid,nodev,noexec,relatime - proc");
        }
        for (Rlimit.Resource resource : Rlimit.Resource.values()) {
            limits.put(resource, new Rlimit(resource, Rlimit.UNLIMITED, Rlimit.UNLIMITED));
        }
        plan.all(Step.SetResourceLimit.class)
                .forEach(set -> limits.put(set.limit().resource(), set.limit()));
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

    private void store() {
        var text = new StringBuilder("Name:\tx\n");
        status.forEach(
                (name, value) -> text.append(name).append(":\t").append(value).append('\n'));
        write("status", text.toString());
        var lines = new StringBuilder();
        mounts.forEach((place, rest) -> {
            String[] parts = rest.split(" - ", -1);
            lines.append("22 1 0:20 / %s %s - %s none rw%n".formatted(place, parts[0], parts[1]));
        });
        write("mountinfo", lines.toString());
        write("limits", HostFactsText.limits(limits));
    }

    Verifier verifier() {
        store();
        return new Verifier(plan, proc);
    }

    List<Verifier.Check> running() {
        return verifier().running(INIT, GROUP);
    }

    List<Verifier.Check> beforeStart() {
        return verifier().beforeStart(INIT);
    }
}
