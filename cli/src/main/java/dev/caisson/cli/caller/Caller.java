package dev.caisson.cli.caller;

import dev.caisson.engine.CgroupDriver;
import dev.caisson.engine.EngineOptions;
import dev.caisson.image.Image;
import dev.caisson.linux.Fd;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.IntSupplier;

/// The caller of a command: streams, variables, working directory, terminal and signals. Commands take them from here
/// and never from the JVM, because a resident engine runs the commands of many callers side by side in one process.
///
/// [#current] is bound to the thread in which a command runs. What runs in other threads is given what it needs.
public abstract class Caller {
    private static final ScopedValue<Caller> CURRENT = ScopedValue.newInstance();

    private static volatile boolean isShared;

    /// Returns the caller of the command that this thread runs.
    /// @throws IllegalStateException in a thread that runs none, if this process runs commands of several callers
    public static Caller current() {
        if (!CURRENT.isBound() && isShared) {
            throw new IllegalStateException("a thread without a caller asks for one");
        }
        return CURRENT.isBound() ? CURRENT.get() : process();
    }

    /// Says that this process runs commands of several callers: none of them is given what this process has.
    public static void share() {
        isShared = true;
    }

    /// Returns the caller of this process's own command.
    public static ProcessCaller process() {
        return ProcessCaller.ONLY;
    }

    /// Runs a command in this thread, with this caller as the current one.
    public final int run(IntSupplier command) {
        return ScopedValue.where(CURRENT, this).call(command::getAsInt);
    }

    /// Returns descriptor 0, 1 or 2. It is the caller's: never close it.
    public abstract Fd descriptor(int number);

    /// Returns standard input. Closing it leaves the descriptor open.
    public abstract InputStream input();

    public abstract StandardStream output();

    public abstract StandardStream errors();

    /// Returns a variable of the caller's environment, with its bytes as [dev.caisson.linux.ByteText] has them.
    public abstract Optional<String> variable(String name);

    /// Returns what the programs of this caller are started with, which run for a command; empty if that is what this
    /// process has.
    public abstract Optional<CallerPrograms> programs();

    /// Returns the path with which a file of the caller's is opened; messages show `path` as it was given.
    abstract String located(String path);

    /// Returns [#located] as a path.
    public final Path path(String text) {
        return HostPath.of(located(text));
    }

    /// Returns an absolute path; empty if it is relative and the working directory is gone or not in UTF-8.
    public abstract Optional<Path> absolute(Path path);

    /// Reads the name of an image, whose path is taken from the caller's directory.
    public final Image image(String name) {
        return switch (Image.parse(name)) {
            case Image.Directory image ->
                new Image.Directory(absolute(image.path()).orElse(image.path()));
            case Image.OciLayout image ->
                new Image.OciLayout(absolute(image.path()).orElse(image.path()), image.reference());
            case Image.DockerArchive image ->
                new Image.DockerArchive(absolute(image.file()).orElse(image.file()), image.reference());
            case Image image -> image;
        };
    }

    /// Says which of the caller's output streams may carry colours.
    public abstract Terminal colours();

    /// Calls `handler` with the number of each signal that is sent to the caller, in another thread.
    public abstract void onSignal(IntConsumer handler);

    /// Lets signals end the command, as they end a process that does not handle them.
    public abstract void leaveSignals();

    /// Ends the command at once with an exit status, whatever it is doing.
    abstract void exit(int status);

    /// Opens the engine of [#directories].
    public abstract EngineLease engine();

    /// Calls `interrupted` when somebody asks the caller to end.
    public final void onEnd(Runnable interrupted) {
        onSignal(number -> {
            if (ProcessSignals.asksToEnd(number)) {
                interrupted.run();
            }
        });
    }

    /// Returns the engine's directories and its driver of control groups: the standard ones, or what CAISSON_STATE,
    /// CAISSON_DATA and CAISSON_CGROUP_DRIVER say.
    public final EngineOptions directories() {
        return directories(this::variable);
    }

    /// Returns what [#directories] does for a caller with these variables.
    public static EngineOptions directories(Function<String, Optional<String>> variables) {
        return new EngineOptions(
                directory("CAISSON_STATE", variables, EngineOptions.DEFAULT_STATE),
                directory("CAISSON_DATA", variables, EngineOptions.DEFAULT_DATA),
                driver(variables));
    }

    private static CgroupDriver driver(Function<String, Optional<String>> variables) {
        return switch (variables.apply("CAISSON_CGROUP_DRIVER").orElse("")) {
            case "", "cgroupfs" -> CgroupDriver.CGROUPFS;
            case "systemd" -> CgroupDriver.SYSTEMD;
            default -> throw CommandException.usage("CAISSON_CGROUP_DRIVER is cgroupfs or systemd");
        };
    }

    private static Path directory(String variable, Function<String, Optional<String>> variables, Path standard) {
        String value = variables.apply(variable).orElse("");
        if (value.isEmpty()) {
            return standard;
        }
        if (!value.startsWith("/")) {
            throw CommandException.usage(variable + " is an absolute path");
        }
        return HostPath.of(value);
    }
}
