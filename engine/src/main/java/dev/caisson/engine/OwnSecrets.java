package dev.caisson.engine;

import dev.caisson.launch.SlotSource;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.secret.Redaction;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.SecretFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The values that a running container has, read where it sees them: no store is needed, and whatever
/// version it was given counts.
final class OwnSecrets {
    private static final long RAMFS = 0x858458f6L; // statfs(2)
    private static final int FLAGS = FileSystem.O_RDONLY | FileSystem.O_NONBLOCK | FileSystem.O_NOCTTY;
    /// Follows links as init does to find the place to mount them: images have some above it, as from /run to /var/run.
    private static final long INSIDE = FileSystem.RESOLVE_IN_ROOT | FileSystem.RESOLVE_NO_MAGICLINKS;

    private OwnSecrets() {}

    /// Returns what takes them out of the output of one more program; empty if the container has none.
    static Optional<Redaction> redaction(ExecTarget target) {
        List<SlotSource.Secrets.Placed> files = ShownSecrets.files(target.plan());
        if (files.isEmpty()) {
            return Optional.empty();
        }
        Map<SecretName, SecretValue> values = new LinkedHashMap<>();
        try (Fd root = target.root()) {
            for (SlotSource.Secrets.Placed file : files) {
                read(root, file.file()).ifPresent(value -> {
                    SecretValue twice = values.put(file.secret(), value);
                    if (twice != null) {
                        twice.close();
                    }
                });
            }
            return Optional.of(Redaction.of(values));
        } finally {
            values.values().forEach(SecretValue::close);
        }
    }

    /// Reads one; nothing if root of the container has put something else there.
    static Optional<SecretValue> read(Fd root, SecretName file) {
        try (Fd opened = FileSystem.openAt(root, SecretFile.DIRECTORY + "/" + file.text(), FLAGS, 0, INSIDE);
                InputStream in = Files.newInputStream(Path.of("/proc/self/fd/" + opened.number()))) {
            return FileSystem.type(opened) == RAMFS && FileSystem.status(opened).isRegularFile()
                    ? Optional.of(SecretValue.read(in))
                    : Optional.empty();
        } catch (ErrnoException | IOException | SecretException e) {
            return Optional.empty();
        }
    }
}
