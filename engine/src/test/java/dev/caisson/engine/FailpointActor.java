package dev.caisson.engine;

import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Network;
import dev.caisson.spec.PortMapping;
import dev.caisson.spec.SecretFile;
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

    /// What its container has beside a program.
    enum Has {
        NOTHING,
        /// A place on [#NETWORK], and a published port.
        NETWORK,
        /// [#SECRET] as a file and as a variable; the program prints both.
        SECRET
    }

    static final String NETWORK = "web";
    static final int PUBLISHED = 8080;
    static final String SECRET = "key";

    private FailpointActor() {}

    /// A program that ends when it is asked to.
    static ContainerSpec spec(Path root, String name, Has has) {
        ContainerSpec spec = ContainerSpec.of(
                        Image.directory(root),
                        "sh",
                        "-c",
                        "cat /run/secrets/*; echo $KEY; trap 'exit 3' TERM; while :; do sleep 0.02; done")
                .name(name);
        return switch (has) {
            case NOTHING -> spec;
            case NETWORK ->
                spec.network(
                        Network.on(NETWORK).publish(new PortMapping(Optional.empty(), PUBLISHED, 80, Transport.TCP)));
            case SECRET ->
                spec.mount(new Mount.Secrets(List.of(SecretFile.of(SECRET).asVariable("KEY"))));
        };
    }

    static Has has(String[] arguments) {
        return arguments.length > 3 ? Has.valueOf(arguments[3]) : Has.NOTHING;
    }

    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        Failpoint.serve((act, name) -> {
            if (Act.valueOf(act) == Act.CREATE) {
                create(spec(Path.of(arguments[2]), name, has(arguments)), options);
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
