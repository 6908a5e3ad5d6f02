package dev.caisson.engine;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/// Started by [LineLoader], a process that does to containers what each line of its input names.
final class FailpointActor {
    enum Act {
        CREATE,
        START,
        EXEC,
        RESTART,
        STOP,
        REMOVE,
        REMOVE_BY_FORCE
    }

    private FailpointActor() {}

    /// A program that ends when it is asked to.
    static ContainerSpec spec(Path root, String name) {
        return ContainerSpec.of(Image.directory(root), "sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.02; done")
                .name(name);
    }

    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        Failpoint.serve((act, name) -> act(Act.valueOf(act), name, options, Path.of(arguments[2])));
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
