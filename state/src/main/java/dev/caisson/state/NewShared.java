package dev.caisson.state;

import dev.caisson.launch.LayerMedium;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.SharedName;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// A workspace or volume that is to be made.
///
/// @param bytes empty for a quarter of what the disk has left, at most 8 GiB
/// @param inodes empty for one for each 16 KiB
/// @param anonymous whether its name was made up for one container
public record NewShared(
        SharedName name, Optional<Bytes> bytes, OptionalLong inodes, Map<String, String> labels, boolean anonymous) {
    private static final long KIBIBYTE = 1024;
    private static final long BYTES_EACH = 16 * KIBIBYTE;
    private static final long LEAST_INODES = 64;
    private static final long MOST_INODES = 1 << 24;
    private static final long LEAST_UNASKED = 16L << 20;
    private static final long MOST_UNASKED = 8L << 30;

    SharedRecord record(LayerMedium medium, long free) {
        long size = bytes.map(Bytes::count).orElseGet(() -> Math.clamp(free / 4, LEAST_UNASKED, MOST_UNASKED));
        return new SharedRecord(
                name,
                size / KIBIBYTE * KIBIBYTE,
                inodes.orElseGet(() -> Math.clamp(size / BYTES_EACH, LEAST_INODES, MOST_INODES)),
                medium,
                Instant.now().truncatedTo(ChronoUnit.MILLIS),
                labels,
                anonymous,
                bytes.isPresent());
    }
}
