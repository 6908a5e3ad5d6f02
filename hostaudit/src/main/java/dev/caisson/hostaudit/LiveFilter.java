package dev.caisson.hostaudit;

import dev.caisson.hostaudit.ContainerFacts.Task;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.SeccompFilters;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.SeccompException;
import dev.caisson.seccomp.SyscallTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// What the filters that processes really carry let through, read from the kernel and run here. Each process is stopped
/// for the moment that the reading takes.
final class LiveFilter {
    private static final int MOST_PROCESSES = 4;
    private static final long[] NOTHING = new long[6];
    private static final long[] EVERYTHING = {-1, -1, -1, -1, -1, -1};

    private LiveFilter() {}

    /// Dangerous calls that some process may make with any arguments; one that has no filter may make them all.
    static ContainerFacts.Filter of(List<Task> tasks) {
        List<Task> read = tasks.subList(0, Math.min(MOST_PROCESSES, tasks.size()));
        Set<String> allowed = new TreeSet<>();
        try {
            for (Task task : read) {
                List<Filter> filters = new ArrayList<>();
                for (byte[] program : SeccompFilters.of(Math.toIntExact(task.pid()))) {
                    filters.add(Filter.of(Architecture.host(), program));
                }
                RuntimeFilter.DANGEROUS.stream()
                        .filter(call -> filters.stream().allMatch(filter -> allows(filter, call)))
                        .forEach(allowed::add);
            }
        } catch (ErrnoException | SeccompException e) {
            return ContainerTruth.unknown("the kernel does not tell the filters: " + e.getMessage());
        }
        String pids =
                read.stream().map(task -> Long.toString(task.pid())).toList().toString();
        return new ContainerFacts.Filter("filters of the processes " + pids, "", List.copyOf(allowed));
    }

    private static boolean allows(Filter filter, String call) {
        return SyscallTable.get().number(Architecture.host(), call).isPresent()
                && passes(filter.decide(Architecture.host(), call, NOTHING))
                && passes(filter.decide(Architecture.host(), call, EVERYTHING));
    }

    private static boolean passes(Action action) {
        return action.kind() == Action.Kind.ALLOW || action.kind() == Action.Kind.LOG;
    }
}
