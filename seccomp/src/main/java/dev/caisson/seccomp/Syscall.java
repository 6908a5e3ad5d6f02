package dev.caisson.seccomp;

import java.util.Map;
import java.util.Optional;

/// A system call of the table, without its numbers.
/// @param since the first kernel that has it; empty for one that no kernel has, or has any more
/// @param widths per declared argument `i` for 32 bits, `h` for 16, `w` for a register; empty where not known
/// @param group what it is for, as `mount`
/// @param note why it is a risk; empty where it is none of note
public record Syscall(String name, Optional<KernelVersion> since, String widths, String group, String note) {
    /// The calls whose user and group ids have 16 bits under the oldest ABIs; the name with `32` appended has 32.
    private static final Map<String, String> SIXTEEN_BIT_IDS = Map.ofEntries(
            Map.entry("chown", "whh"),
            Map.entry("fchown", "ihh"),
            Map.entry("lchown", "whh"),
            Map.entry("setfsgid", "h"),
            Map.entry("setfsuid", "h"),
            Map.entry("setgid", "h"),
            Map.entry("setregid", "hh"),
            Map.entry("setresgid", "hhh"),
            Map.entry("setresuid", "hhh"),
            Map.entry("setreuid", "hh"),
            Map.entry("setuid", "h"));

    /// How many bits of argument `index` the kernel looks at under an ABI.
    int bits(Architecture abi, int index) {
        boolean oldest = abi == Architecture.X86 || abi == Architecture.ARM;
        String types = oldest ? SIXTEEN_BIT_IDS.getOrDefault(name, widths) : widths;
        char type = index < types.length() ? types.charAt(index) : 'w';
        return switch (type) {
            case 'h' -> 16;
            case 'i' -> 32;
            default -> abi.wordBits();
        };
    }

    /// True if the kernel asks a filter at all: x86_64's uprobe and uretprobe are handled before seccomp is.
    public boolean filterable() {
        return !name.equals("uprobe") && !name.equals("uretprobe");
    }
}
