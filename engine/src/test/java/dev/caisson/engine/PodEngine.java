package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.nio.file.Path;
import java.util.Optional;

/// An engine in a process of its own, as a service in a pod has it: runs `id -u` and prints what came of it.
final class PodEngine {
    private PodEngine() {}

    public static void main(String[] arguments) throws InterruptedException {
        var options = new EngineOptions(Path.of("/run/caisson-test-pod"), Path.of("/var/lib/caisson-test-pod"));
        Image image = Image.parse(Optional.ofNullable(System.getenv("IMAGE")).orElse("host"));
        try (var engine = Engine.open(options)) {
            RunResult result = engine.run(ContainerSpec.of(image, "sh", "-c", "id -u; stat -c %U /usr"));
            System.out.println(
                    result.verdict() + " " + result.stdout().replace("\n", " ").strip());
        } catch (CaissonException e) {
            System.out.println(e.code() + " " + e.getMessage());
        }
    }
}
