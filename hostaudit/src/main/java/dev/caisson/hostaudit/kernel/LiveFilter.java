package dev.caisson.hostaudit.kernel;

import dev.caisson.hostaudit.facts.ContainerFacts;
import dev.caisson.hostaudit.facts.ContainerFacts.Task;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.SeccompFilters;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.seccomp.SeccompException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/// Reads the filters of processes from the kernel and runs them to see what they let through. Each process is stopped
/// for the moment that the reading takes.
final class LiveFilter {
    private static final int MOST_PROCESSES = 4;

    private LiveFilter() {}

    /// Dangerous calls that some process may make with most arguments; one that has no filter may make them all.
    static ContainerFacts.Filter of(List<Task> tasks) {
        List<Task> read = tasks.subList(0, Math.min(MOST_PROCESSES, tasks.size()));
        Set<String> allowed = new TreeSet<>();
        try {
            for (Task task : read) {
                List<Filter> filters = new ArrayList<>();
                for (byte[] program : SeccompFilters.of(Math.toIntExact(task.pid()))) {
                    filters.add(Filter.of(Architecture.host(), program));
                }
                allowed.addAll(DangerousCalls.open((number, arguments) -> strictest(filters, number, arguments)));
            }
        } catch (ErrnoException | SeccompException e) {
            return ContainerFacts.Filter.unknown("the kernel does not tell the filters: " + e.getMessage());
        }
        String pids =
                read.stream().map(task -> Long.toString(task.pid())).toList().toString();
        return new ContainerFacts.Filter("filters of the processes " + pids, "", List.copyOf(allowed));
    }

    /// Returns the strictest answer: of several filters, the one that forbids decides.
    private static Action strictest(List<Filter> filters, int number, long[] arguments) {
        SeccompData call = SeccompData.of(Architecture.host(), number, arguments);
        Action decided = Action.ALLOW;
        for (Filter filter : filters) {
            decided = filter.decide(call);
            if (decided.kind() != Action.Kind.ALLOW && decided.kind() != Action.Kind.LOG) {
                return decided;
            }
        }
        return decided;
    }
}
