package dev.caisson.cli;

import dev.caisson.cli.caller.CommandException;
import dev.caisson.cli.front.Server;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.NetworkKeeper;
import dev.caisson.linux.ByteText;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// Another resident engine of the same state directory, which is there before this one.
final class Predecessor {
    /// Asks an engine that was started on demand to take no more commands, and to end when those that it runs have:
    /// SIGUSR1.
    static final int MAKE_ROOM = 10;

    /// Has the process id of an engine that was started on demand, and is empty for another.
    private static final String NOTE = "on-demand";

    private static final long PATIENCE_NANOS = 20_000_000_000L;
    private static final long PAUSE_MILLIS = 50;

    private Predecessor() {}

    /// Says how this process was started, which has the place now.
    static void note(EngineOptions options, boolean onDemand) {
        try {
            Files.writeString(note(options), onDemand ? ProcessHandle.current().pid() + "\n" : "");
        } catch (IOException e) {
            throw new CommandException(
                    "SERVE_REFUSED",
                    CommandException.ENGINE_FAILED,
                    "cannot write " + note(options) + " (" + e.getMessage() + "): see to its file system",
                    e);
        }
    }

    private static Path note(EngineOptions options) {
        return options.state().resolve(Server.DIRECTORY).resolve(NOTE);
    }

    /// Opens a server, or leaves it to the one that is there: two commands may start one each at once.
    /// @return empty if another serves
    static Optional<Server> unlessThere(EngineOptions options, Supplier<Optional<Server>> open)
            throws InterruptedException {
        long end = System.nanoTime() + PATIENCE_NANOS;
        Optional<Server> opened = open.get();
        while (opened.isEmpty() && !NetworkKeeper.isThere(options)) {
            pause(options, end); // it has not begun yet, or is about to end
            opened = open.get();
        }
        return opened;
    }

    /// Opens a server; one that was started on demand makes room for it.
    static Server displaced(EngineOptions options, Supplier<Optional<Server>> open) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE_NANOS;
        Optional<Server> opened = open.get();
        if (opened.isEmpty()) {
            makeRoom(options);
        }
        while (opened.isEmpty()) {
            pause(options, end);
            opened = open.get();
        }
        return opened.get();
    }

    private static void pause(EngineOptions options, long end) throws InterruptedException {
        if (System.nanoTime() - end > 0) {
            throw inTheWay(options);
        }
        Thread.sleep(PAUSE_MILLIS);
    }

    private static void makeRoom(EngineOptions options) {
        int pid = pid(options).orElseThrow(() -> inTheWay(options));
        try (Fd process = Processes.open(pid)) {
            if (!words(pid).containsAll(List.of("serve", "--on-demand"))) {
                throw inTheWay(options); // it was killed, and its number is another's
            }
            Processes.signal(process, MAKE_ROOM);
        } catch (ErrnoException e) {
            // it has ended meanwhile
        }
    }

    private static Optional<Integer> pid(EngineOptions options) {
        try {
            String text = ByteText.read(note(options)).strip();
            return text.matches("[0-9]{1,9}") ? Optional.of(Integer.valueOf(text)) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // of an earlier version, or it has just begun
        }
    }

    private static List<String> words(int pid) {
        try {
            return List.of(ByteText.read(Path.of("/proc/" + pid + "/cmdline")).split("\0", -1));
        } catch (IOException e) {
            return List.of();
        }
    }

    static CommandException inTheWay(EngineOptions options) {
        return new CommandException(
                "SERVE_RUNNING",
                CommandException.ENGINE_FAILED,
                "another resident engine serves " + options.state() + ": end that one first");
    }
}
