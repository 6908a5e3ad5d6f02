package dev.caisson.cli.container;

import dev.caisson.cli.Answer;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/// The contract for Docker: it shows that the contract is Docker's.
@Tag("peers")
class DockerLifecycleTest extends LifecycleContract {
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path directory;

    @SuppressWarnings("NullAway.Init") // set before the first test
    private static DockerDaemon daemon;

    @BeforeAll
    static void startDocker() throws Exception {
        daemon = DockerDaemon.start(directory);
    }

    @AfterAll
    static void stopDocker() {
        daemon.close();
    }

    @Override
    Answer engine(String... words) {
        return daemon.docker(words);
    }

    @Override
    String image() {
        return DockerDaemon.IMAGE;
    }

    @Override
    boolean has(Difference difference) {
        return false;
    }
}
