package dev.caisson.engine;

import dev.caisson.launch.monitor.Monitor;

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
        ExecNotes notes = ExecNotes.of(container, wish, options).orElseThrow(() -> endsWithCommand(container));
        executions.startAlone(target, wish, notes.id(), control -> {
            try (Monitor monitor = notes.place().monitor()) {
                monitor.adopt(notes.id(), control);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new EngineException("INTERRUPTED", "the start of a program was interrupted", e);
            }
            notes.begins();
        });
        return notes.id();
    }

    static EngineException endsWithCommand(String container) {
        return refused("container " + container
                + " ends with the command that runs it, which would not keep the program: run it with -d");
    }

    static EngineException refused(String sentence) {
        return new EngineException("EXEC_DETACHED_REFUSED", sentence);
    }
}
