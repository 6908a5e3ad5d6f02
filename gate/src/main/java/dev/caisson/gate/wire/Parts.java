package dev.caisson.gate.wire;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ProtocolException;
import java.nio.charset.StandardCharsets;

/// Reads and writes the parts of messages. Every length has a bound, and nothing may follow the last part.
final class Parts {
    interface Writer {
        void write(DataOutputStream out) throws IOException;
    }

    interface Reader<T> {
        T read(DataInputStream in) throws IOException;
    }

    private Parts() {}

    static byte[] bytes(Writer writer) {
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            writer.write(out);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory alone
        }
        return bytes.toByteArray();
    }

    static <T> T read(byte[] message, Reader<T> reader) throws ProtocolException {
        try (var in = new DataInputStream(new ByteArrayInputStream(message))) {
            T read = reader.read(in);
            if (in.read() >= 0) {
                throw new ProtocolException("a message is longer than its parts");
            }
            return read;
        } catch (ProtocolException e) {
            throw e;
        } catch (EOFException e) {
            throw new ProtocolException("a message ends within a part");
        } catch (IOException | RuntimeException e) {
            throw new ProtocolException("a message has a part that is none: " + e.getMessage());
        }
    }

    static void write(DataOutputStream out, byte[] bytes) throws IOException {
        out.writeInt(bytes.length);
        out.write(bytes);
    }

    static byte[] array(DataInputStream in, int most) throws IOException {
        return in.readNBytes(length(in, most));
    }

    static void write(DataOutputStream out, String text) throws IOException {
        write(out, text.getBytes(StandardCharsets.UTF_8));
    }

    static String text(DataInputStream in, int most) throws IOException {
        return new String(array(in, most), StandardCharsets.UTF_8);
    }

    /// Reads a number of parts that follow.
    static int length(DataInputStream in, int most) throws IOException {
        int length = in.readInt();
        if (length < 0 || length > most) {
            throw new ProtocolException("a message has a part of " + length + " bytes or items, more than " + most);
        }
        return length;
    }
}
