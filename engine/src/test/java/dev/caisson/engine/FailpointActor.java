package dev.caisson.engine;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.Transport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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

    /// Says that the container is on a network of this name, and has a published port.
    static final String NETWORKED = "web";

    static final int PUBLISHED = 8080;

    private FailpointActor() {}

    /// A program that ends when it is asked to.
    static ContainerSpec spec(Path root, String name, boolean networked) {
        ContainerSpec spec = ContainerSpec.of(
                        Image.directory(root), "sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.02; done")
                .name(name);
        var port = new PortMapping(Optional.empty(), PUBLISHED, 80, Transport.TCP);
        return networked ? spec.network(Network.on(NETWORKED).publish(port)) : spec;
    }

    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        boolean networked = List.of(arguments).contains(NETWORKED);
        Failpoint.serve((act, name) -> {
            if (Act.valueOf(act) == Act.CREATE) {
                create(spec(Path.of(arguments[2]), name, networked), options);
            } else {
                act(Act.valueOf(act), name, options);
            }
        });
    }

    private static void create(ContainerSpec spec, EngineOptions options) throws InterruptedException {
        try (Engine engine = Engine.open(options)) {
            engine.create(spec, DetachedOptions.STANDARD);
        }
    }

    private static void act(Act act, String name, EngineOptions options) throws InterruptedException {
        Optional<Duration> patience = Optional.of(Duration.ofSeconds(10));
        switch (act) {
            case CREATE -> throw new AssertionError();
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
