package dev.caisson.engine;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import java.nio.file.Path;

/// An engine whose container has a volume with a name and one without, until somebody ends it.
final class VolumeProcess {
    static final String NAME = "killed";

    private VolumeProcess() {}

    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        try (var engine = Engine.open(options)) {
            Container container = engine.start(
                    ContainerSpec.onHost("sh", "-c", "echo kept >/named/file; while :; do echo x >>/new/log; done")
                            .mount(Mount.Volume.of(NAME, "/named"))
                            .mount(Mount.Volume.unnamed("/new")),
                    Streams.capture());
            System.out.println(EngineProcess.OPENED);
            container.await();
        }
    }
}
