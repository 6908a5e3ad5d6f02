package dev.caisson.hostaudit.facts;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The host itself: its kernel, its accounts, its files.
///
/// @param memoryTotal bytes
/// @param settings kernel settings by their name, as `kernel.kptr_restrict`; one that the kernel lacks is missing
/// @param kernelFiles files below /proc that change the kernel, as far as this one has them
/// @param appArmor the kernel enforces AppArmor
/// @param seLinux `enforcing`, `permissive`, or empty where the kernel has no SELinux
/// @param namespaces of process 1, by kind
/// @param files by the path that was asked for; missing ones are missing
/// @param environment `/etc/environment`
public record HostFacts(
        String kernel,
        long memoryTotal,
        int processors,
        Map<String, String> settings,
        List<String> kernelFiles,
        boolean appArmor,
        Optional<String> seLinux,
        Map<String, Long> namespaces,
        List<Account> accounts,
        List<Group> groups,
        AuditFacts audit,
        Map<String, FileFact> files,
        List<SocketFile> engineSockets,
        Map<String, String> environment) {
    public static final List<String> UNIT_DIRECTORIES = List.of(
            "/etc/systemd/system",
            "/run/systemd/system",
            "/usr/local/lib/systemd/system",
            "/usr/lib/systemd/system",
            "/lib/systemd/system");

    public static final List<String> KERNEL_FILES =
            List.of("/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus");

    /// A line of passwd(5).
    public record Account(String name, long uid, long gid) {}

    /// A line of group(5).
    public record Group(String name, long gid, List<String> members) {}

    /// The rules of the kernel's audit subsystem.
    ///
    /// @param state `on`, `off`, `absent` where the kernel lacks it, `unknown` where it may not be asked
    public record AuditFacts(String state, String reason, List<Watch> watches) {}

    /// A path whose changes are recorded.
    public record Watch(String path, boolean directory, String permissions) {}

    /// The socket of a container engine.
    ///
    /// @param links how many names its file has
    public record SocketFile(String path, String engine, long device, long inode, int links) {}

    /// A file as the kernel has it.
    ///
    /// @param kind `file`, `directory`, `socket` or `other`
    /// @param resolved the path without links
    /// @param mode permission bits
    /// @param grants what its access control list gives beyond the mode bits, as `user 1000: rw-`
    /// @param openParents directories above it that somebody other than root may change, with their modes
    public record FileFact(
            String path,
            String resolved,
            String kind,
            long uid,
            long gid,
            int mode,
            long device,
            long inode,
            List<String> grants,
            List<String> openParents) {
        /// True for a client's key, which lies beside its certificate with this ending (dockerd's certs.d).
        public boolean isRegistryKey() {
            return path.startsWith("/etc/docker/certs.d/") && path.endsWith(".key");
        }

        public String modeText() {
            return String.format(Locale.ROOT, "%04o", mode);
        }
    }

    public String groupName(long gid) {
        return groups.stream()
                .filter(group -> group.gid() == gid)
                .map(Group::name)
                .findFirst()
                .orElse(Long.toString(gid));
    }

    public String userName(long uid) {
        return accounts.stream()
                .filter(account -> account.uid() == uid)
                .map(Account::name)
                .findFirst()
                .orElse(Long.toString(uid));
    }

    /// Names of all who are in the group, by its line or as their primary group; root left out.
    public List<String> membersOf(long gid) {
        return Stream.concat(
                        groups.stream().filter(group -> group.gid() == gid).flatMap(group -> group.members().stream()),
                        accounts.stream()
                                .filter(account -> account.gid() == gid && account.uid() != 0)
                                .map(Account::name))
                .filter(name -> !name.equals("root"))
                .distinct()
                .sorted()
                .toList();
    }

    /// Returns how many processes and threads the kernel has room for; the greatest number there is if it does not say.
    public long mostTasks() {
        return Stream.of("kernel.pid_max", "kernel.threads-max")
                .flatMap(name -> setting(name).stream())
                .filter(Numbers::isNumber)
                .mapToLong(Long::parseLong)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    public Optional<String> setting(String name) {
        return Optional.ofNullable(settings.get(name));
    }
}
