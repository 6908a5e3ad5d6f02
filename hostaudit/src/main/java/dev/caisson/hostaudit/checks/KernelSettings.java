package dev.caisson.hostaudit.checks;

import dev.caisson.hostaudit.facts.Facts;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongPredicate;

/// Kernel settings that containers, which share the kernel, should find closed. Each line says what is wanted; a
/// setting that this kernel does not have is left out. Documentation/admin-guide/sysctl of the kernel.
public final class KernelSettings {
    /// A kernel setting and the values that are safe.
    ///
    /// @param advised the value that a proposal sets
    public record Wanted(String name, String text, int advised, LongPredicate good) {}

    public static final List<Wanted> WANTED = List.of(
            new Wanted("kernel.kptr_restrict", "1 or 2", 1, value -> value >= 1),
            new Wanted("kernel.dmesg_restrict", "1", 1, value -> value == 1),
            new Wanted("kernel.unprivileged_bpf_disabled", "1 or 2", 2, value -> value >= 1),
            new Wanted("kernel.perf_event_paranoid", "2 or more", 2, value -> value >= 2),
            new Wanted("kernel.randomize_va_space", "2", 2, value -> value == 2),
            new Wanted("kernel.yama.ptrace_scope", "1 or more", 1, value -> value >= 1),
            new Wanted("fs.protected_symlinks", "1", 1, value -> value == 1),
            new Wanted("fs.protected_hardlinks", "1", 1, value -> value == 1),
            new Wanted("fs.protected_fifos", "1 or 2", 1, value -> value >= 1),
            new Wanted("fs.protected_regular", "1 or 2", 1, value -> value >= 1),
            new Wanted("fs.suid_dumpable", "0", 0, value -> value == 0),
            new Wanted("vm.unprivileged_userfaultfd", "0", 0, value -> value == 0));

    private KernelSettings() {}

    static Answer judge(Facts facts) {
        var weak = new ArrayList<String>();
        var read = new ArrayList<String>();
        for (Wanted wanted : WANTED) {
            Optional<String> value = facts.host().setting(wanted.name());
            if (value.isEmpty() || !value.get().matches("-?\\d{1,18}")) {
                continue;
            }
            read.add(wanted.name() + "=" + value.get());
            if (!wanted.good().test(Long.parseLong(value.get()))) {
                weak.add(wanted.name() + " is " + value.get() + ", wanted " + wanted.text());
            }
        }
        // a core of a container is written by the host's kernel: a relative path ends in the container's own files
        facts.host()
                .setting("kernel.core_pattern")
                .filter(pattern -> pattern.startsWith("|/tmp/") || pattern.startsWith("|/var/tmp/"))
                .ifPresent(pattern -> weak.add("kernel.core_pattern runs " + pattern));
        if (read.isEmpty()) {
            return Answer.notEvaluated(Answer.HOST, "no setting below /proc/sys could be read");
        }
        return Answer.failIf(
                        !weak.isEmpty(),
                        Answer.HOST,
                        String.join("; ", weak),
                        "all " + read.size() + " settings are as wanted")
                .truth("/proc/sys", String.join(" ", read));
    }
}
