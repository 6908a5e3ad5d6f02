package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import java.util.Locale;
import java.util.Optional;

/// A resource limit of the process, getrlimit(2). [#UNLIMITED] is RLIM_INFINITY.
public record Rlimit(Resource resource, long soft, long hard) {
    public static final long UNLIMITED = -1;

    /// The ordinal is the number of the resource in asm-generic/resource.h.
    public enum Resource {
        CPU,
        FSIZE,
        DATA,
        STACK,
        CORE,
        RSS,
        NPROC,
        NOFILE,
        MEMLOCK,
        AS,
        LOCKS,
        SIGPENDING,
        MSGQUEUE,
        NICE,
        RTPRIO,
        RTTIME;

        /// Its number in asm-generic/resource.h.
        @SuppressWarnings("EnumOrdinal") // the constants stand in the kernel's order, which never changes
        public int number() {
            return ordinal();
        }

        public static Optional<Resource> parse(String name) {
            for (Resource resource : values()) {
                if (resource.name().toLowerCase(Locale.ROOT).equals(name)) {
                    return Optional.of(resource);
                }
            }
            return Optional.empty();
        }
    }

    public Rlimit {
        present(resource, "resource");
        if (soft < UNLIMITED || hard < UNLIMITED) {
            throw ArgumentException.invalid(
                    "a limit of " + Math.min(soft, hard) + " is negative: pass 0 or more, or -1 for none");
        }
        if (hard != UNLIMITED && (soft == UNLIMITED || soft > hard)) {
            throw ArgumentException.invalid("the soft limit is above the hard limit: lower it, or raise the hard one");
        }
    }

    @Override
    public String toString() {
        return resource.name().toLowerCase(Locale.ROOT) + " " + text(soft) + ":" + text(hard);
    }

    private static String text(long value) {
        return value == UNLIMITED ? "unlimited" : Long.toString(value);
    }
}
