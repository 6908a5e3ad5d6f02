package dev.caisson.hostaudit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A policy of SELinux that tells a container's processes and files from others and forbids nothing: enough for a
/// kernel to start with, and for dockerd to label what it starts. Debian's package secilc.
final class SelinuxPolicy {
    /// Debian's kernel reads policies up to this version.
    private static final String VERSION = "33";
    /// dockerd gives each container two of these, of its own.
    private static final int CATEGORIES = 1024;

    /// In the order of the kernel's `security/selinux/include/initial_sid_to_string.h`.
    private static final List<String> INITIAL = ContainerCases.words(
            "kernel security unlabeled fs file file_labels init any_socket port netif netmsg node igmp_packet"
                    + " icmp_socket tcp_socket sysctl_modprobe sysctl sysctl_fs sysctl_kernel sysctl_net sysctl_net_unix"
                    + " sysctl_vm sysctl_dev kmod policy scmp_packet devnull",
            word -> word);

    private static final List<String> OF_FILES =
            List.of("file", "dir", "lnk_file", "chr_file", "blk_file", "sock_file", "fifo_file");

    private SelinuxPolicy() {}

    /// Compiles it.
    static void write(Path policy) throws IOException {
        Path source = Files.writeString(policy.resolveSibling("policy.cil"), text());
        Dockerd.must("secilc", "-c", VERSION, "-o", policy.toString(), "-f", "/dev/null", source.toString());
    }

    /// What the policy does not know is allowed; what it must know has one permission a class.
    private static String text() {
        String categories =
                IntStream.range(0, CATEGORIES).mapToObj(each -> "c" + each).collect(Collectors.joining(" "));
        return """
                (handleunknown allow)
                (mls true)
                (sensitivity s0)
                (sensitivityorder (s0))
                %s
                (categoryorder (%s))
                (sensitivitycategory s0 (range c0 c1023))
                (class process (transition dyntransition))
                %s
                (classorder (process %s))
                (role object_r)
                (role system_r)
                (type kernel_t)
                (type container_t)
                (type container_file_t)
                (type file_t)
                (typeattribute domain)
                (typeattributeset domain (kernel_t container_t))
                (typeattribute every)
                (typeattributeset every (kernel_t container_t container_file_t file_t))
                (roletype system_r domain)
                (roletype object_r every)
                (user system_u)
                (userrole system_u system_r)
                (userrole system_u object_r)
                (userlevel system_u (s0))
                (userrange system_u ((s0) (s0 (range c0 c1023))))
                (allow domain domain (process (transition dyntransition)))
                %s
                (sidorder (%s))
                (fsuse trans mqueue (system_u object_r file_t ((s0) (s0))))
                """.formatted(
                each(ContainerCases.words(categories, word -> word), "(category %s)"),
                categories,
                each(OF_FILES, "(class %s (ioctl))\n(allow domain every (%1$s (ioctl)))"),
                String.join(" ", OF_FILES),
                each(INITIAL, "(sid %s)\n(sidcontext %1$s (system_u system_r kernel_t ((s0) (s0 (range c0 c1023)))))"),
                String.join(" ", INITIAL));
    }

    private static String each(List<String> names, String form) {
        return names.stream().map(form::formatted).collect(Collectors.joining("\n"));
    }
}
