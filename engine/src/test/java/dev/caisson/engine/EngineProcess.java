package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// An engine in a process of its own, which a test may give a bad parent or a sudden end.
final class EngineProcess {
    static final String OPENED = "opened";

    /// Has the jars of all modules, and their classes as a JVM keeps them: with these a JVM starts with half of the
    /// processor time. `tools/run-tests` makes it; without it the classes are those of the directories.
    private static final Optional<Path> PREPARED =
            Optional.ofNullable(System.getProperty("caisson.test.commands")).map(Path::of);

    private final Class<?> main;
    private final List<String> arguments = new ArrayList<>();
    private final StringBuilder redirections = new StringBuilder();
    private String before = "";
    private String nativeAccess = "--enable-native-access=ALL-UNNAMED";

    EngineProcess(EngineOptions options, Path root, List<String> command) {
        this(EngineProcess.class, options, root, command);
    }

    /// @param main gets the state, data and root directories, then `rest`
    EngineProcess(Class<?> main, EngineOptions options, Path root, List<String> rest) {
        this.main = main;
        arguments.add(options.state().toString());
        arguments.add(options.data().toString());
        arguments.add(root.toString());
        arguments.addAll(rest);
    }

    /// What the process does: runs the command in a container and tells its output.
    public static void main(String[] arguments) throws InterruptedException {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        try (var engine = Engine.open(options)) {
            System.out.println(OPENED);
            List<String> command = List.of(arguments).subList(3, arguments.length);
            System.out.print(engine.run(ContainerSpec.of(Image.directory(Path.of(arguments[2])), command))
                    .stdout());
        } catch (CaissonException e) {
            System.out.println(e.code());
            throw e;
        }
    }

    /// Starts it with a descriptor open that it knows nothing of.
    EngineProcess leaking(int number, Path path) {
        redirections.append(' ').append(number).append("<'").append(path).append('\'');
        return this;
    }

    /// Starts it with a limit on message queues in bytes: no step of a launch sets it, so that every descendant has it
    /// and can be told by it.
    EngineProcess marked(int bytes) {
        before = "ulimit -q " + bytes + "; ";
        return this;
    }

    /// Starts it with fewer open files than an engine may need.
    EngineProcess withOpenFiles(int most) {
        before = "ulimit -n " + most + "; exec timeout -s KILL 30 ";
        return this;
    }

    /// Starts a JVM that denies native access to code that it was not told of.
    EngineProcess withoutNativeAccess() {
        nativeAccess = "--illegal-native-access=deny";
        return this;
    }

    /// Starts it by a command that takes privileges away, and reads its errors as output.
    EngineProcess under(String command) {
        before = "exec 2>&1 " + command + " ";
        return this;
    }

    Process start() throws IOException {
        var command = new ArrayList<>(List.of(
                "bash", "-c", before + (before.contains("exec ") ? "" : "exec ") + "\"$@\"" + redirections, "bash"));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(sharedClasses());
        command.addAll(List.of(
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", nativeAccess, "-cp", classPath(), main.getName()));
        command.addAll(arguments);
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    List<String> lines() throws IOException {
        return start().inputReader().lines().toList();
    }

    /// Options for JVMs that share classes, with [#classPath()].
    static List<String> sharedClasses() {
        return PREPARED.map(directory ->
                        List.of("-XX:SharedArchiveFile=" + directory.resolve("classes.jsa"), "-Xlog:cds=off"))
                .orElse(List.of());
    }

    static String classPath() {
        var paths = new ArrayList<String>();
        try {
            if (PREPARED.isPresent()) {
                paths.add(Files.readString(PREPARED.get().resolve("path")).strip());
            }
            Path own = Path.of(
                    EngineProcess.class.getResource("EngineProcess.class").toURI());
            paths.add(own.resolve("../../../..").normalize().toString());
        } catch (URISyntaxException | IOException e) {
            throw new AssertionError(e);
        }
        Optional.ofNullable(System.getProperty("jdk.module.path")).ifPresent(paths::add);
        paths.add(System.getProperty("java.class.path"));
        return String.join(File.pathSeparator, paths);
    }
}
