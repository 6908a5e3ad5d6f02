package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.spec.LimitException.Code;

/// Most reading and writing on one disk; [#UNLIMITED] where a figure has no limit.
///
/// @param readBytes a second
/// @param writeBytes a second
/// @param readOperations a second
/// @param writeOperations a second
public record IoLimit(BlockDevice device, long readBytes, long writeBytes, long readOperations, long writeOperations) {
    public static final long UNLIMITED = Long.MAX_VALUE;

    private static final long MOST_OPERATIONS = 0xffff_ffffL; // the kernel cuts more down to 32 bits

    /// Refuses what the kernel would take for something else: it reads 0 as an error.
    public IoLimit {
        present(device, "device");
        for (long most : new long[] {readBytes, writeBytes, readOperations, writeOperations}) {
            if (most < 1) {
                throw new LimitException(
                        Code.IO_OUT_OF_RANGE, "a limit on reading and writing is at least 1 a second, not " + most);
            }
        }
        for (long most : new long[] {readOperations, writeOperations}) {
            if (most > MOST_OPERATIONS && most != UNLIMITED) {
                throw new LimitException(
                        Code.IO_OUT_OF_RANGE,
                        "a disk is limited to at most " + MOST_OPERATIONS + " operations a second");
            }
        }
    }

    /// No limit yet on `device`.
    public static IoLimit on(BlockDevice device) {
        return new IoLimit(device, UNLIMITED, UNLIMITED, UNLIMITED, UNLIMITED);
    }

    public IoLimit readBytes(long most) {
        return new IoLimit(device, most, writeBytes, readOperations, writeOperations);
    }

    public IoLimit writeBytes(long most) {
        return new IoLimit(device, readBytes, most, readOperations, writeOperations);
    }

    public IoLimit readOperations(long most) {
        return new IoLimit(device, readBytes, writeBytes, most, writeOperations);
    }

    public IoLimit writeOperations(long most) {
        return new IoLimit(device, readBytes, writeBytes, readOperations, most);
    }
}
