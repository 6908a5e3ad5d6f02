package dev.caisson.engine;

import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.Fd;
import java.util.Optional;

/// Hands one more program of a container over to the container's monitor while it runs.
final class LeftExec {
    private LeftExec() {}

    /// Returns whether it was handed over; false if it has ended.
    static boolean leave(RunningExec exec, ExecNotes notes, DetachedPlace keeper) throws InterruptedException {
        if (!exec.pauseWatch()) {
            return false;
        }
        try (Monitor monitor = keeper.monitor()) {
            if (exec.answers().asks()) {
                monitor.programs().requireAnswersOthers();
            }
            Optional<Fd> terminal = exec.launched().console();
            if (terminal.isPresent()) {
                boolean _ = monitor.programs()
                        .read(notes.id(), terminal.get()); // refused before it is handed over, if at all
            }
            if (!exec.answers().handOver(monitor)) {
                throw LoneExec.refused("the container's monitor answers too many programs, or the container has ended:"
                        + " end one that runs there");
            }
            if (Thread.interrupted()) { // before the monitor takes a program that the caller goes on waiting for
                throw new InterruptedException();
            }
            monitor.programs().adopt(notes.id(), exec.launched().control());
            if (terminal.isPresent()) {
                boolean _ = monitor.programs().read(notes.id(), terminal.get()); // or it has ended, and needs none
            }
        } catch (RuntimeException | InterruptedException e) {
            exec.resumeWatch();
            throw e;
        }
        exec.isLeft(
                new EngineException("EXEC_LEFT", "the program was left to run on: 'caisson events' shows how it ends"));
        return true;
    }
}
