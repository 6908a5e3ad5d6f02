package dev.caisson.watch;

import dev.caisson.launch.Verifier;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.SeccompFilters;
import dev.caisson.seccomp.Action;
import dev.caisson.seccomp.Architecture;
import dev.caisson.seccomp.Filter;
import dev.caisson.seccomp.SeccompData;
import dev.caisson.state.ContainerLookup;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// The system call filters that a running process has, read from the kernel: of any process, whoever started it.
///
/// @param pid of the process
/// @param filters the oldest first; the kernel asks all and takes the strictest answer, of two of the same kind the
///     newest filter's
public record LiveFilters(int pid, List<Filter> filters) {
    public LiveFilters {
        filters = List.copyOf(filters);
    }

    /// Reads them now; the process is stopped for the moment that it takes.
    /// @throws WatchException FILTERS_NOT_READ with the reason
    public static LiveFilters of(int pid) {
        try {
            return new LiveFilters(
                    pid,
                    SeccompFilters.of(pid).stream()
                            .map(program -> Filter.of(Architecture.host(), program))
                            .toList());
        } catch (ErrnoException e) {
            throw new WatchException(
                    "FILTERS_NOT_READ",
                    "the filters of process " + pid + " cannot be read (" + Errno.name(e.errno())
                            + "): it needs root with CAP_SYS_ADMIN and a process that runs and nobody else traces",
                    e);
        }
    }

    /// The program of a running container: one of Caisson's, of Docker's or of Podman's.
    /// @param container its name or the beginning of its id
    /// @param data where Caisson's own are kept
    /// @param state where those that run are written down
    /// @throws WatchException CONTAINER_UNKNOWN or CONTAINER_AMBIGUOUS
    public static int programOf(String container, Path data, Path state) {
        List<ContainerRecord> own = ContainerLookup.matching(container, data, state).stream()
                .flatMap(id -> State.running(id, state).stream())
                .toList();
        List<Integer> foreign = ForeignContainers.ofHost().find(container);
        if (own.size() == 1 && foreign.isEmpty()) {
            ContainerRecord record = own.getFirst();
            return new Verifier(record.plan().plan()).program(record.pid());
        }
        if (foreign.size() == 1 && own.isEmpty()) {
            return foreign.getFirst();
        }
        int found = own.size() + foreign.size();
        throw found == 0
                ? new WatchException(
                        "CONTAINER_UNKNOWN",
                        "no container of Caisson, Docker or Podman that runs is called '" + container + "'")
                : new WatchException(
                        "CONTAINER_AMBIGUOUS", found + " containers match '" + container + "': give more of the id");
    }

    /// Returns the kernel's decision for a call.
    public Action decide(SeccompData call) {
        return deciding(call).map(filter -> filter.decide(call)).orElse(Action.ALLOW);
    }

    /// The filter whose answer the kernel takes for a call.
    Optional<Filter> deciding(SeccompData call) {
        return filters.reversed().stream()
                .min(Comparator.comparing(filter -> filter.decide(call).kind()));
    }
}
