package dev.caisson.containerfile.build;

import dev.caisson.containerfile.ContainerFileException;
import dev.caisson.containerfile.FileError;
import java.util.concurrent.atomic.AtomicLong;

/// Bounds what the variables of one file are expanded to: a short line may hold a long value many times.
public final class ExpansionBudget {
    private static final long MOST = 32L << 20;

    private final AtomicLong used = new AtomicLong();

    /// Counts characters.
    /// @throws ContainerFileException without a place if they are too many together with those of before
    public void use(long characters) {
        if (used.addAndGet(characters) > MOST) {
            throw new ContainerFileException(
                    FileError.DOCKERFILE_SUBSTITUTION,
                    "All values together are longer than " + MOST + " characters once their variables are replaced.");
        }
    }
}
