package dev.caisson.engine;

import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.Fd;

/// One more program of a container that nobody waits for: the container's monitor keeps it until its end.
final class LoneExec {
    private LoneExec() {}

    /// @return its id in events
    /// @throws EngineException EXEC_DETACHED_REFUSED for what only somebody who stays could give it
    static String start(String container, Exec wish, EngineOptions options, ExecTarget target, Executions executions) {
        if (wish.terminal().isPresent()) {
            throw refused(
                    "a terminal (-t) of a program that nobody waits for is read by nobody: leave one of the two out");
        }
        if (wish.timeout().isPresent()) {
            throw refused(
                    "nobody would end a program that nobody waits for (--timeout): use timeout(1) in the container");
        }
        ExecNotes notes = ExecNotes.of(target, wish, options);
        DetachedPlace keeper = notes.keeper().orElseThrow(() -> endsWithCommand(container));
        try (Monitor monitor = keeper.monitor()) {
            executions.startAlone(target, wish, notes.id(), monitor.programs().answersOneMore(), control -> {
                adopt(monitor, notes.id(), control);
                notes.begins();
            });
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        return notes.id();
    }

    private static void adopt(Monitor monitor, String id, Fd control) {
        try {
            monitor.programs().adopt(id, control);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static EngineException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new EngineException("INTERRUPTED", "the start of a program was interrupted", e);
    }

    static EngineException endsWithCommand(String container) {
        return refused("container " + container
                + " ends with the command that runs it, which would not keep the program: run it with -d");
    }

    static EngineException refused(String sentence) {
        return new EngineException("EXEC_DETACHED_REFUSED", sentence);
    }
}
