package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Events of networks, where these are damaged.
@Tag("root")
class NetworkEventsTest {
    @Test
    void networks_that_cannot_be_read_hold_nobody_up() throws IOException {
        var options = new EngineOptions(OwnDirectories.state("netevents"), OwnDirectories.data("netevents"));
        try {
            Files.createDirectories(
                    options.networks().resolve("lock"), // where a file must be
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));

            assertThat(NetworkEvents.ended(options, ContainerId.random(), Instant.EPOCH))
                    .isEmpty();
            NetworkEvents.noteStarted(options, ContainerId.random(), Instant.EPOCH);
        } finally {
            BusyboxEngine.removeTree(options.data());
        }
    }
}
