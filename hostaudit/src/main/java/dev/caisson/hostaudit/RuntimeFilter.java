package dev.caisson.hostaudit;

import dev.caisson.hostaudit.ContainerFacts.Filter;
import dev.caisson.text.MalformedJsonException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// The system call filter that the low-level runtime was told to set: the bundle's `config.json`, in the
/// working directory of the shim that watches the container. `Seccomp: 2` in `/proc` says that there is a
/// filter, not that it forbids anything.
final class RuntimeFilter {
    /// Calls that lead out of a container or into parts of the kernel that no ordinary program needs.
    static final List<String> DANGEROUS = List.of(
            "acct",
            "add_key",
            "bpf",
            "clock_settime",
            "create_module",
            "delete_module",
            "finit_module",
            "fsconfig",
            "fsmount",
            "fsopen",
            "fspick",
            "init_module",
            "io_uring_setup",
            "ioperm",
            "iopl",
            "kexec_file_load",
            "kexec_load",
            "keyctl",
            "mount",
            "mount_setattr",
            "move_mount",
            "open_by_handle_at",
            "open_tree",
            "perf_event_open",
            "pivot_root",
            "quotactl",
            "reboot",
            "request_key",
            "setns",
            "settimeofday",
            "swapoff",
            "swapon",
            "umount2",
            "unshare",
            "userfaultfd");

    private RuntimeFilter() {}

    static Filter of(long shim, String id) {
        Optional<Path> bundle = Proc.link(Proc.of(shim).resolve("cwd")).map(Path::of);
        Optional<String> text = bundle.filter(directory -> directory.endsWith(id))
                // through the shim's own root, wherever this process has the host's
                .flatMap(directory -> Proc.text(Proc.of(shim).resolve("cwd/config.json")));
        if (text.isEmpty()) {
            return ContainerTruth.unknown("the bundle that the runtime was given was not found");
        }
        Path file = bundle.get().resolve("config.json");
        try {
            return new Filter(
                    file.toString(), "", allowed(Tree.parse(text.get()).at("linux", "seccomp")));
        } catch (MalformedJsonException e) {
            return ContainerTruth.unknown(file + " is no JSON");
        }
    }

    /// Dangerous calls that a profile lets through whatever their arguments; all of them where there is no
    /// profile.
    static List<String> allowed(Tree profile) {
        if (!profile.present()) {
            return DANGEROUS;
        }
        boolean open = allows(profile.at("defaultAction").textOr(""));
        Set<String> decided = new TreeSet<>();
        Set<String> allowed = new TreeSet<>();
        for (Tree rule : profile.at("syscalls").list()) {
            boolean always = rule.at("args").list().isEmpty();
            boolean allows = allows(rule.at("action").textOr(""));
            var names = new ArrayList<>(rule.at("names").texts());
            rule.at("name").text().ifPresent(names::add);
            for (String name : names) {
                if (always) {
                    decided.add(name);
                }
                if (allows && always) {
                    allowed.add(name);
                }
            }
        }
        return DANGEROUS.stream()
                .filter(name -> allowed.contains(name) || (open && !decided.contains(name)))
                .toList();
    }

    private static boolean allows(String action) {
        return action.equals("SCMP_ACT_ALLOW") || action.equals("SCMP_ACT_LOG");
    }
}
