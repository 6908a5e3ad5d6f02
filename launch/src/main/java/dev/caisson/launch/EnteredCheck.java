package dev.caisson.launch;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.KernelText;
import dev.caisson.spec.CapabilitySet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/// Asks the kernel what a process that entered a container has, before it runs the program.
public final class EnteredCheck {
    private EnteredCheck() {}

    /// Compares it with its plan and with the container's first process. All is read of processes that cannot be reaped
    /// meanwhile: the first is a child of this one, and of the second only what cannot change counts.
    ///
    /// @param pid of the process that stands before the program
    /// @param first of the container's process 1
    /// @throws HostException NOT_AS_PLANNED
    public static void require(int pid, int first, ExecPlan plan) {
        for (Namespace namespace : plan.namespaces()) {
            // its children are in the pid namespace, itself it stays outside
            String own = namespace == Namespace.PID ? "pid_for_children" : namespace.link();
            require(namespace + " namespace", link(first, namespace.link()), link(pid, own));
        }
        Map<String, String> status = status(pid);
        Step.SetPrivileges privileges = (Step.SetPrivileges) plan.steps().stream()
                .filter(Step.SetPrivileges.class::isInstance)
                .findFirst()
                .orElseThrow();
        boolean locked = plan.steps().stream().anyMatch(Step.NoNewPrivileges.class::isInstance);
        require("no_new_privs", locked ? "1" : "0", status.getOrDefault("NoNewPrivs", "not told"));
        require("bounding set", hexadecimal(privileges.bounding()), status.getOrDefault("CapBnd", "not told"));
        require("capabilities", hexadecimal(privileges.permitted()), status.getOrDefault("CapPrm", "not told"));
        require(
                "effective capabilities",
                hexadecimal(privileges.permitted()),
                status.getOrDefault("CapEff", "not told"));
        require("inheritable capabilities", hexadecimal(CapabilitySet.NONE), status.getOrDefault("CapInh", "not told"));
        require("user", ids(privileges.uid(), plan), status.getOrDefault("Uid", "not told"));
        require("group", ids(privileges.gid(), plan), status.getOrDefault("Gid", "not told"));
    }

    private static String hexadecimal(CapabilitySet set) {
        return String.format(Locale.ROOT, "%016x", set.mask());
    }

    /// Real, effective, saved and for files, as the host has them.
    private static String ids(int inside, ExecPlan plan) {
        int id = plan.ids().base() + inside;
        return String.format(Locale.ROOT, "%d\t%d\t%d\t%d", id, id, id, id);
    }

    private static void require(String subject, String planned, String found) {
        if (!planned.equals(found)) {
            throw new HostException(
                    "NOT_AS_PLANNED",
                    "the kernel made something else than planned: " + subject + " is " + found + " instead of "
                            + planned);
        }
    }

    private static String link(int pid, String name) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/" + name))
                    .toString();
        } catch (IOException e) {
            throw new ErrnoException("readlink", Errno.ESRCH);
        }
    }

    private static Map<String, String> status(int pid) {
        var fields = new HashMap<String, String>();
        try {
            for (String line : KernelText.lines(ByteText.read(Path.of("/proc/" + pid + "/status")))
                    .toList()) {
                int colon = line.indexOf(':');
                fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
            }
        } catch (IOException e) {
            throw new ErrnoException("open", Errno.ESRCH);
        }
        return fields;
    }
}
