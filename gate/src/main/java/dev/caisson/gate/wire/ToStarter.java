package dev.caisson.gate.wire;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ProtocolException;

/// What the process says. It has read the bytes of strangers, so nothing that it says is trusted: it names gates by
/// their number, and whoever started it looks every one of them up.
public sealed interface ToStarter {
    /// The longest message.
    int MOST_BYTES = 2048;

    /// It is confined, and takes values.
    record Ready() implements ToStarter {}

    /// The gates are open, or have the other values.
    record Done() implements ToStarter {}

    /// What it was asked for failed.
    ///
    /// @param sentence for people
    record Failed(String sentence) implements ToStarter {}

    /// Asks if the container may still send to the host of a gate. [ToProcess.Allowed] answers.
    record Allows(long id, int gate) implements ToStarter {}

    /// Asks for the addresses of a gate's host. [ToProcess.Found] answers.
    record Addresses(long id, int gate) implements ToStarter {}

    /// Asks for a connection to one of these addresses. [ToProcess.Connected] answers.
    record Connect(long id, int gate, InetAddress address, int millis) implements ToStarter {}

    /// A value was put into a request.
    record Used(int gate) implements ToStarter {}

    /// Something was refused.
    record Refused(String host, int port, String reason) implements ToStarter {}

    /// Longest text in a message.
    int MOST_TEXT = 1000;

    /// Characters that are sent of a text; each has at most three bytes.
    int MOST_CUT = MOST_TEXT / 3;

    /// Longest name of a host.
    int MOST_HOST = 253;

    private static String cut(String text) {
        return text.length() <= MOST_CUT ? text : text.substring(0, MOST_CUT);
    }

    default byte[] bytes() {
        return Parts.bytes(this::write);
    }

    private void write(DataOutputStream out) throws IOException {
        switch (this) {
            case Ready _ -> out.writeByte(1);
            case Done _ -> out.writeByte(2);
            case Failed failed -> {
                out.writeByte(3);
                Parts.write(out, cut(failed.sentence()));
            }
            case Allows allows -> {
                out.writeByte(4);
                out.writeLong(allows.id());
                out.writeInt(allows.gate());
            }
            case Addresses addresses -> {
                out.writeByte(5);
                out.writeLong(addresses.id());
                out.writeInt(addresses.gate());
            }
            case Connect connect -> {
                out.writeByte(6);
                out.writeLong(connect.id());
                out.writeInt(connect.gate());
                Parts.write(out, connect.address().getAddress());
                out.writeInt(connect.millis());
            }
            case Used used -> {
                out.writeByte(7);
                out.writeInt(used.gate());
            }
            case Refused refused -> {
                out.writeByte(8);
                Parts.write(out, refused.host());
                out.writeInt(refused.port());
                Parts.write(out, cut(refused.reason()));
            }
        }
    }

    /// Reads a message.
    /// @throws ProtocolException if it is none
    static ToStarter read(byte[] message) throws ProtocolException {
        return Parts.read(message, ToStarter::read);
    }

    private static ToStarter read(DataInputStream in) throws IOException {
        int kind = in.readUnsignedByte();
        return switch (kind) {
            case 1 -> new Ready();
            case 2 -> new Done();
            case 3 -> new Failed(Parts.text(in, MOST_TEXT));
            case 4 -> new Allows(in.readLong(), in.readInt());
            case 5 -> new Addresses(in.readLong(), in.readInt());
            case 6 ->
                new Connect(
                        in.readLong(),
                        in.readInt(),
                        InetAddress.getByAddress(Parts.array(in, ToProcess.ADDRESS)),
                        in.readInt());
            case 7 -> new Used(in.readInt());
            case 8 -> new Refused(Parts.text(in, MOST_HOST), in.readInt(), Parts.text(in, MOST_TEXT));
            default -> throw new ProtocolException("a message has the unknown kind " + kind);
        };
    }
}
