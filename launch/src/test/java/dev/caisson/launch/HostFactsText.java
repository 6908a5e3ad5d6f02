package dev.caisson.launch;

import dev.caisson.spec.Rlimit;
import java.util.Map;

/// /proc/PID/limits as the kernel prints it.
final class HostFactsText {
    private static final Map<Rlimit.Resource, String> NAMES = Map.ofEntries(
            Map.entry(Rlimit.Resource.CPU, "Max cpu time"),
            Map.entry(Rlimit.Resource.FSIZE, "Max file size"),
            Map.entry(Rlimit.Resource.DATA, "Max data size"),
            Map.entry(Rlimit.Resource.STACK, "Max stack size"),
            Map.entry(Rlimit.Resource.CORE, "Max core file size"),
            Map.entry(Rlimit.Resource.RSS, "Max resident set"),
            Map.entry(Rlimit.Resource.NPROC, "Max processes"),
            Map.entry(Rlimit.Resource.NOFILE, "Max open files"),
            Map.entry(Rlimit.Resource.MEMLOCK, "Max locked memory"),
            Map.entry(Rlimit.Resource.AS, "Max address space"),
            Map.entry(Rlimit.Resource.LOCKS, "Max file locks"),
            Map.entry(Rlimit.Resource.SIGPENDING, "Max pending signals"),
            Map.entry(Rlimit.Resource.MSGQUEUE, "Max msgqueue size"),
            Map.entry(Rlimit.Resource.NICE, "Max nice priority"),
            Map.entry(Rlimit.Resource.RTPRIO, "Max realtime priority"),
            Map.entry(Rlimit.Resource.RTTIME, "Max realtime timeout"));

    private HostFactsText() {}

    static String limits(Map<Rlimit.Resource, Rlimit> limits) {
        var text =
                new StringBuilder("Limit                     Soft Limit           Hard Limit           Units     \n");
        limits.forEach((resource, limit) -> text.append("%-25s %-20s %-20s %-10s%n"
                .formatted(NAMES.get(resource), word(limit.soft()), word(limit.hard()), "")));
        return text.toString();
    }

    private static String word(long value) {
        return value == Rlimit.UNLIMITED ? "unlimited" : Long.toString(value);
    }
}
