package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.spec.Bytes;
import dev.caisson.state.ContainerLog;

/// The files that hold what a container in the background writes. A full one is kept as an older one, and the oldest
/// is removed.
///
/// @param place where they are
/// @param most size of one of them, 64 KiB or more
/// @param count how many there are at most, the newest included, 1 to 100
public record LogFiles(Place place, Bytes most, int count) {
    /// The place of the files.
    public enum Place {
        /// Beside what else is kept of the container, until it is removed.
        DISK,
        /// In memory, as long as something of the container runs or may be started.
        MEMORY
    }

    private static final Bytes LEAST = Bytes.kibibytes(64);
    private static final Bytes LARGEST = Bytes.gibibytes(64);
    private static final Bytes MOST_MEMORY = Bytes.mebibytes(64);
    private static final int MOST_FILES = 100;

    /// Three files of 10 MiB.
    public static final LogFiles STANDARD =
            new LogFiles(Place.DISK, Bytes.of(ContainerLog.FILE_BYTES), ContainerLog.FILES);
    /// One MiB of memory for what readers have not read yet.
    public static final LogFiles IN_MEMORY = new LogFiles(Place.MEMORY, Bytes.kibibytes(256), 4);

    public LogFiles {
        present(place, "place");
        if (present(most, "most").compareTo(LEAST) < 0 || most.compareTo(LARGEST) > 0) {
            throw ArgumentException.invalid(
                    "a file of a log has 64 KiB to 64 GiB, not " + most + ": give another size");
        }
        if (count < 1 || count > MOST_FILES) {
            throw ArgumentException.invalid(
                    "a log has 1 to " + MOST_FILES + " files, not " + count + ": give another number");
        }
        if (place == Place.MEMORY && most.count() > MOST_MEMORY.count() / count) {
            throw ArgumentException.invalid(count + " files of " + most + " are more than the " + MOST_MEMORY
                    + " that a log in memory has: give fewer or smaller ones");
        }
    }
}
