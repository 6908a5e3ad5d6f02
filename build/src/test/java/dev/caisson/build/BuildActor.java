package dev.caisson.build;

import dev.caisson.containerfile.Source;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import dev.caisson.image.ImageReference;
import dev.caisson.image.RegistryLogins;
import dev.caisson.spec.Network;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A process that builds one image, and ends at a line of code that it is told, without doing anything after it.
public final class BuildActor {
    static final String NOWHERE = "-";
    static final int ENDED = 99;

    private static final Set<String> PASSED = new LinkedHashSet<>();
    private static volatile String awaited = NOWHERE;

    private BuildActor() {}

    /// Builds, and prints the lines that it came by.
    /// @param arguments the directories of state, data and context, the text of the Dockerfile, and where to end
    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        awaited = arguments[4];
        try (Engine engine = Engine.open(options);
                Images images = Images.open(options)) {
            new Builder(engine, images, options)
                    .build(request(Path.of(arguments[2]), arguments[3]), BuildListener.none());
        }
        awaited = NOWHERE;
        synchronized (PASSED) {
            System.out.println(String.join(" ", PASSED));
        }
    }

    static BuildRequest request(Path context, String dockerfile) {
        return new BuildRequest(
                Source.of("Dockerfile", dockerfile),
                Optional.of(context),
                Optional.empty(),
                List.of(ImageReference.parse("built:1")),
                Map.of(),
                Optional.empty(),
                Map.of(),
                Map.of("t", new SecretSource.Content("hush".getBytes(StandardCharsets.UTF_8))),
                Network.none(),
                true,
                false,
                Optional.of(Instant.ofEpochSecond(1_000_000_000)),
                RegistryLogins.none());
    }

    /// Called by the code itself, at each line.
    public static void reached(String place) {
        synchronized (PASSED) {
            PASSED.add(place);
        }
        if (place.equals(awaited)) {
            Runtime.getRuntime().halt(ENDED); // as by SIGKILL: no finally, no shutdown hook
        }
    }
}
