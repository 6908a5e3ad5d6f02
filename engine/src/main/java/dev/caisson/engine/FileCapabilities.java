package dev.caisson.engine;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/// The kernel's forms of file capabilities, capabilities(7): version 2 counts everywhere, version 3 below the user
/// namespace whose root has the id that it names.
final class FileCapabilities {
    private static final int VERSION_2 = 0x02000000;
    private static final int VERSION_3 = 0x03000000;
    private static final int VERSION_MASK = 0xff000000;
    private static final int BYTES_2 = 20;
    private static final int BYTES_3 = 24;

    private FileCapabilities() {}

    /// Returns the form without the container's id, as images have it; empty for capabilities of another container,
    /// which mean nothing in this one.
    ///
    /// @param idBase the host's number of the container's user 0
    static Optional<byte[]> ofImage(byte[] value, int idBase) {
        if (value.length == BYTES_2) {
            return Optional.of(value.clone());
        }
        if (value.length != BYTES_3) {
            return Optional.empty();
        }
        ByteBuffer read = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
        int magic = read.getInt(0);
        if ((magic & VERSION_MASK) != VERSION_3 || read.getInt(BYTES_2) != idBase) {
            return Optional.empty();
        }
        byte[] plain = Arrays.copyOf(value, BYTES_2);
        ByteBuffer.wrap(plain).order(ByteOrder.LITTLE_ENDIAN).putInt(0, VERSION_2 | (magic & ~VERSION_MASK));
        return Optional.of(plain);
    }
}
