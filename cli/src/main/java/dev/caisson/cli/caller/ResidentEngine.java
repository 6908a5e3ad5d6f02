package dev.caisson.cli.caller;

import dev.caisson.cli.front.Server;
import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.NetworkKeeper;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Map;

/// The resident engine (`caisson serve`), as containers in the background need it for names and published ports. A
/// command that starts such a container starts it, if none is there.
public final class ResidentEngine {
    private static final String MODE = "CAISSON_SERVE";
    private static final String OFF = "off";
    private static final String HOME = "caisson.home";
    private static final String LOG = "log";
    private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    private static final long PATIENCE_NANOS = 20_000_000_000L;
    private static final long PAUSE_MILLIS = 10;

    private ResidentEngine() {}

    /// Returns the file that one which is started on demand writes its errors to.
    public static Path log(EngineOptions options) {
        return options.state().resolve(Server.DIRECTORY).resolve(LOG);
    }

    /// Sees that one is there for a container that is about to be made. If it does not start, `err` is told, and the
    /// container has what it has without it.
    public static void startFor(ContainerSpec spec, PrintWriter err) throws InterruptedException {
        if (NetworkKeeper.isNeeded(spec)) {
            start(err);
        }
    }

    /// Sees that one is there for a container that is about to join a network with names.
    public static void startForNames(PrintWriter err) throws InterruptedException {
        start(err);
    }

    /// Sees that one is there for a container that was started, and that its ports of loopback answer. One that ends at
    /// this moment sees the container and goes on, or is replaced.
    public static void startFor(DetachedContainer container, PrintWriter err) throws InterruptedException {
        EngineOptions options = Caller.current().directories();
        if (NetworkKeeper.isNeeded(container, options)) {
            start(err);
            if (NetworkKeeper.isThere(options)) {
                NetworkKeeper.awaitPorts(container, options);
            }
        }
    }

    private static void start(PrintWriter err) throws InterruptedException {
        Caller caller = Caller.current();
        EngineOptions options = caller.directories();
        String home = System.getProperty(HOME, "");
        if (home.isEmpty() || caller.variable(MODE).filter(OFF::equals).isPresent() || NetworkKeeper.isThere(options)) {
            return;
        }
        try {
            Process process = process(Path.of(home).resolve("../../caisson").normalize(), options, caller);
            if (!isThereInTime(options, process)) {
                err.println("caisson: note: the resident engine does not start: see "
                        + OneLine.of(log(options).toString()));
            }
        } catch (IOException | ErrnoException e) {
            err.println("caisson: note: the resident engine cannot be started (" + OneLine.of(e.getMessage()) + ")");
        }
    }

    /// Nothing of the caller goes with it but what names its engine.
    private static Process process(Path launcher, EngineOptions options, Caller caller) throws IOException {
        try (Fd state = FileSystem.open(options.state().toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
                Fd directory = FileSystem.openOrMakeDirectory(state, Server.DIRECTORY, 0700);
                Fd _ = FileSystem.openAt(
                        directory,
                        LOG,
                        FileSystem.O_WRONLY | FileSystem.O_CREAT,
                        0600,
                        FileSystem.RESOLVE_BENEATH | FileSystem.RESOLVE_NO_SYMLINKS)) {
            var builder = new ProcessBuilder(launcher.toString(), "serve", "--on-demand")
                    .directory(Path.of("/").toFile())
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.appendTo(log(options).toFile()));
            Map<String, String> variables = builder.environment();
            variables.clear();
            variables.put("PATH", PATH);
            variables.put("CAISSON_STATE", options.state().toString());
            variables.put("CAISSON_DATA", options.data().toString());
            caller.variable("CAISSON_CGROUP_DRIVER").ifPresent(text -> variables.put("CAISSON_CGROUP_DRIVER", text));
            caller.variable("TZ").ifPresent(text -> variables.put("TZ", text)); // compared with a front end's
            Process process = builder.start();
            process.getOutputStream().close();
            return process;
        }
    }

    private static boolean isThereInTime(EngineOptions options, Process process) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (System.nanoTime() - end < 0) {
            boolean alive = process.isAlive();
            if (NetworkKeeper.isThere(options)) {
                return true;
            }
            if (!alive) {
                return false;
            }
            Thread.sleep(PAUSE_MILLIS);
        }
        return false;
    }
}
