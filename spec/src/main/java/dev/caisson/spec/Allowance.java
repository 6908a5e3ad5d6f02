package dev.caisson.spec;

import java.util.Locale;
import java.util.Optional;

/// A protection that somebody has to give up by name. Each says what it opens.
public enum Allowance {
    PRIVILEGED("every capability inside the container's user namespace, no system call filter, nothing masked"),
    DANGEROUS_CAPABILITIES("kernel code behind the added capability becomes reachable from inside the container"),
    NEW_PRIVILEGES("set-uid programs and file capabilities of the image work again"),
    UNCONFINED_SECCOMP("every system call of the kernel is reachable"),
    HOST_PATHS("the container reads, and where writable changes, a part of the host that others trust"),
    SETUID_FILES("what it makes set-user-ID or set-group-ID on a volume counts for the users of the host"),
    HOST_DEVICES("the kernel lets the container use that device of the host, by a node that it is given or comes by"),
    HOST_SERVICES("a service of the host that listens at the named ports is reached from inside the container"),
    HOST_NETWORK(
            "the container uses the host's network: its services on loopback, its ports, all that the host reaches"),
    HOST_IPC("the container shares System V IPC and POSIX message queues with the host"),
    HOST_UTS("the container sees the host's name");

    private final String opens;

    Allowance(String opens) {
        this.opens = opens;
    }

    /// Returns what becomes possible, in half a sentence.
    public String opens() {
        return opens;
    }

    /// Returns the name on the command line, such as `host-paths`.
    public String option() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public static Optional<Allowance> parse(String option) {
        for (Allowance allowance : values()) {
            if (allowance.option().equals(option)) {
                return Optional.of(allowance);
            }
        }
        return Optional.empty();
    }
}
