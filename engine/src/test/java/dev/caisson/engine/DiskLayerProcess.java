package dev.caisson.engine;

import dev.caisson.image.Image;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.WritableLayer;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// An engine whose container writes to a layer on disk until somebody ends both.
final class DiskLayerProcess {
    private DiskLayerProcess() {}

    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        try (var engine = Engine.open(options)) {
            Container container = engine.start(
                    ContainerSpec.of(
                                    Image.directory(Path.of(arguments[2])),
                                    "sh",
                                    "-c",
                                    "while :; do dd if=/dev/zero of=/tmp/fill bs=64k count=256 2>/dev/null; done")
                            .writableLayer(WritableLayer.STANDARD
                                    .size(Bytes.mebibytes(32))
                                    .place(WritableLayer.Place.DISK)),
                    Streams.capture());
            while (container.usage().writable().orElseThrow().used().count() < 8 << 20) {
                TimeUnit.MILLISECONDS.sleep(20);
            }
            System.out.println(EngineProcess.OPENED + " " + container.plan().medium());
            container.await();
        }
    }
}
