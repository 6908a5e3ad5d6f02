package dev.caisson.launch;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Sockets;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// The message that gives init its plan's descriptors: `struct handover` of `native/plan.h`.
final class Handover {
    private static final int SLOTS_AT = 8;
    private static final int BYTES = SLOTS_AT + 2 * Slot.LIMIT;

    private final byte[] bytes = new byte[BYTES];
    private final ByteBuffer message = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    private final List<Fd> descriptors = new ArrayList<>();

    /// @param slots how many the plan has
    Handover(int slots) {
        message.putInt(0, PlanCodec.MAGIC).putShort(4, (short) slots);
    }

    /// @param fd stays the caller's to close
    void add(int slot, Fd fd) {
        message.putShort(SLOTS_AT + 2 * descriptors.size(), (short) slot);
        descriptors.add(fd);
    }

    /// Sends it. An init that is gone gets nothing: whoever reads from it next learns why.
    void send(Fd control) {
        message.putShort(6, (short) descriptors.size());
        try {
            Sockets.send(control, bytes, descriptors);
        } catch (ErrnoException e) {
            if (!Sockets.isClosed(e)) {
                throw e;
            }
        }
    }
}
