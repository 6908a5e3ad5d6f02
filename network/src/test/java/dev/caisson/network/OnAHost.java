package dev.caisson.network;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// Gives each test a [Bed] of its own.
abstract class OnAHost {
    @TempDir
    Path directory;

    Bed bed;

    @BeforeEach
    void makeAHost() throws Exception {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        bed = new Bed(directory);
    }

    @AfterEach
    void leave() {
        bed.close();
    }
}
