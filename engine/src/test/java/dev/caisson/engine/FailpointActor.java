package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Started by [LineLoader], a process that does to containers what each line of its input names, and stands still at
/// a line of the code on the way until it reads one more line. It answers with the lines of code that it came by, and
/// "ok", the code of the error, or an error that has none. Public, as code of other rooms calls it.
public final class FailpointActor {
    enum Act {
        CREATE,
        START,
        EXEC,
        RESTART,
        STOP,
        REMOVE,
        REMOVE_BY_FORCE
    }

    static final String OK = "ok";
    static final String NOWHERE = "-";
    static final String AT = "at ";

    private static final BufferedReader INPUT =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    private static final Thread ACTING = Thread.currentThread();
    private static final Set<String> PASSED = new LinkedHashSet<>();
    private static @Nullable String awaited;

    private FailpointActor() {}

    /// A program that ends when it is asked to.
    static ContainerSpec spec(Path root, String name) {
        return ContainerSpec.of(Image.directory(root), "sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.02; done")
                .name(name);
    }

    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        System.out.println(EngineProcess.OPENED);
        for (String line = INPUT.readLine(); line != null; line = INPUT.readLine()) {
            String[] words = line.split(" ", 3);
            PASSED.clear();
            awaited = words[2];
            String outcome = outcome(Act.valueOf(words[0]), words[1], options, Path.of(arguments[2]));
            awaited = null;
            System.out.println(String.join(" ", PASSED) + "\t" + outcome);
        }
    }

    /// Called by the code itself, at each line.
    public static void reached(String place) {
        if (awaited == null || Thread.currentThread() != ACTING || !PASSED.add(place) || !place.equals(awaited)) {
            return;
        }
        System.out.println(AT + place);
        try {
            boolean _ = INPUT.readLine() != null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String outcome(Act act, String name, EngineOptions options, Path root) throws InterruptedException {
        try {
            act(act, name, options, root);
            return OK;
        } catch (CaissonException e) {
            return e.code();
        } catch (RuntimeException | Error e) {
            e.printStackTrace();
            return e.toString();
        }
    }

    private static void act(Act act, String name, EngineOptions options, Path root) throws InterruptedException {
        Optional<Duration> patience = Optional.of(Duration.ofSeconds(10));
        switch (act) {
            case CREATE -> {
                try (Engine engine = Engine.open(options)) {
                    engine.create(spec(root, name), DetachedOptions.STANDARD);
                }
            }
            case EXEC -> {
                try (Engine engine = Engine.open(options)) {
                    engine.exec(name, Exec.of("sleep", "0.1"), Streams.capture());
                }
            }
            case START -> find(name, options).start();
            case RESTART -> find(name, options).restart(OptionalInt.empty(), patience);
            case STOP -> find(name, options).stop(OptionalInt.empty(), patience);
            case REMOVE -> find(name, options).remove(false);
            case REMOVE_BY_FORCE -> find(name, options).remove(true);
        }
    }

    private static DetachedContainer find(String name, EngineOptions options) {
        return DetachedContainer.find(name, options)
                .orElseThrow(() -> new EngineException("CONTAINER_UNKNOWN", "no container " + name));
    }
}
