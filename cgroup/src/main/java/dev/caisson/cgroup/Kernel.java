package dev.caisson.cgroup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/// Facts of the running kernel that the limits depend on.
final class Kernel {
    private static final long AT_PAGESZ = 6;

    /// Bytes in a page, from the auxiliary vector, getauxval(3): 4096, or up to 65536 on aarch64.
    static final long PAGE_SIZE = pageSize();

    /// True if this kernel can swap at all, CONFIG_SWAP.
    static final boolean HAS_SWAP = Files.exists(Path.of("/proc/swaps"));

    private Kernel() {}

    private static long pageSize() {
        try {
            ByteBuffer vector = ByteBuffer.wrap(Files.readAllBytes(Path.of("/proc/self/auxv")))
                    .order(ByteOrder.nativeOrder());
            while (vector.remaining() >= 2 * Long.BYTES) {
                long type = vector.getLong();
                long value = vector.getLong();
                if (type == AT_PAGESZ) {
                    return value;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        throw new IllegalStateException("/proc/self/auxv has no AT_PAGESZ");
    }
}
