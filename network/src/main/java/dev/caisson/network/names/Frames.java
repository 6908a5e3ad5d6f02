package dev.caisson.network.names;

import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.Pipes;
import java.util.Arrays;

/// Messages over a TCP connection, each behind its length in two bytes, RFC 1035 section 4.2.2. One is read and one is
/// written at a time; memory grows with what has come, not with what a length promises.
final class Frames {
    enum Read {
        /// Nothing whole is there yet.
        MORE,
        /// The other end has closed, or has sent what is too long.
        END,
        /// [#take] returns it.
        MESSAGE
    }

    private static final int LENGTH = 2;
    private static final int FIRST = 512;

    private final Fd socket;
    private final int longest;
    private byte[] in = new byte[0];
    private int have;
    private byte[] out = new byte[0];
    private int sent;

    Frames(Fd socket, int longest) {
        this.socket = socket;
        this.longest = longest;
    }

    /// Sets the message to send; [#flush] sends it.
    void queue(byte[] message, int length) {
        out = new byte[LENGTH + length];
        Wire.u16(out, 0, length);
        System.arraycopy(message, 0, out, LENGTH, length);
        sent = 0;
    }

    /// Sends as much as fits.
    /// @return true if all is sent
    /// @throws ErrnoException if the connection broke
    boolean flush() {
        while (sent < out.length) {
            int count = Pipes.write(socket, out, sent, out.length - sent);
            if (count < 0) {
                return false;
            }
            sent += count;
        }
        out = new byte[0];
        sent = 0;
        return true;
    }

    /// Reads what is there of the next message, and nothing behind it.
    Read read() {
        while (true) {
            int wanted = have < LENGTH ? LENGTH : LENGTH + Wire.u16(in, 0);
            if (have >= LENGTH && wanted - LENGTH > longest) {
                return Read.END;
            }
            if (have >= LENGTH && have == wanted) {
                return Read.MESSAGE;
            }
            if (have == in.length) {
                in = Arrays.copyOf(in, Math.min(wanted, Math.max(in.length * 2, have < LENGTH ? LENGTH : FIRST)));
            }
            var chunk = new byte[Math.min(wanted, in.length) - have];
            int count = Pipes.read(socket, chunk);
            if (count < 0) {
                return Read.MORE;
            }
            if (count == 0) {
                return Read.END;
            }
            System.arraycopy(chunk, 0, in, have, count);
            have += count;
        }
    }

    /// Returns the message that was read, and is ready for the next.
    byte[] take() {
        byte[] message = Arrays.copyOfRange(in, LENGTH, have);
        in = new byte[0];
        have = 0;
        return message;
    }
}
