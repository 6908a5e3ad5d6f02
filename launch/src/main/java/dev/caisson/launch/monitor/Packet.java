package dev.caisson.launch.monitor;

import dev.caisson.launch.HostException;
import dev.caisson.linux.Fd;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/// A message of a monitor: a reply, or a notice.
@SuppressWarnings("ArrayRecordComponent") // read by Monitor alone, and never compared
record Packet(int op, int sequence, int argument, byte[] payload, List<Fd> descriptors) implements AutoCloseable {
    static final int VERSION = 1;
    private static final int HEADER = 16;

    /// Returns a request to a monitor, `struct monitor_header` and its payload.
    static byte[] encode(int op, int sequence, int argument, byte[] payload) {
        return ByteBuffer.allocate(HEADER + payload.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort((short) op)
                .putShort((short) VERSION)
                .putInt(sequence)
                .putInt(argument)
                .putInt(payload.length)
                .put(payload)
                .array();
    }

    /// @throws HostException if that is no message of a monitor of this version
    static Packet decode(byte[] bytes, List<Fd> descriptors) {
        if (bytes.length < HEADER) {
            throw MonitorFailures.protocol("sent " + bytes.length + " bytes");
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int op = Short.toUnsignedInt(in.getShort());
        int version = Short.toUnsignedInt(in.getShort());
        int number = in.getInt();
        int argument = in.getInt();
        if (version != VERSION) {
            throw new HostException(
                    "MONITOR_VERSION",
                    "the container's monitor speaks version " + version + " of its protocol, this Caisson version "
                            + VERSION + ": use the Caisson that created it");
        }
        if (in.getInt() != bytes.length - HEADER) {
            throw MonitorFailures.protocol("sent a message of another length than it says");
        }
        byte[] payload = new byte[bytes.length - HEADER];
        in.get(payload);
        return new Packet(op, number, argument, payload, descriptors);
    }

    @Override
    public void close() {
        descriptors.forEach(Fd::close);
    }
}
