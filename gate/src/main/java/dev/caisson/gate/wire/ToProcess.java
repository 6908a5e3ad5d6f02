package dev.caisson.gate.wire;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.util.ArrayList;
import java.util.List;

/// What the process is told.
public sealed interface ToProcess {
    /// The longest message.
    int MOST_BYTES = 65_536;

    /// The most descriptors with a message.
    int MOST_DESCRIPTORS = 24;

    /// The most addresses of a host.
    int MOST_ADDRESSES = 64;

    /// Bytes of the longest address.
    int ADDRESS = 16;

    /// Takes this filter of system calls. [ToStarter.Ready] follows.
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Confine(byte[] filter) implements ToProcess {}

    /// Opens the gates. Descriptors: [Settings], the values, and a listening socket for each port. [ToStarter.Done] or
    /// [ToStarter.Failed] follows.
    ///
    /// @param ports that the container sends to, as the sockets
    record Open(List<Integer> ports) implements ToProcess {}

    /// Takes other values, which are the one descriptor. [ToStarter.Done] or [ToStarter.Failed] follows.
    record Replace() implements ToProcess {}

    /// Answers [ToStarter.Allows].
    record Allowed(long id, boolean allowed) implements ToProcess {}

    /// Answers [ToStarter.Addresses].
    ///
    /// @param known false if the host has no address
    /// @param addresses that the container may reach
    record Found(long id, boolean known, List<InetAddress> addresses) implements ToProcess {}

    /// Answers [ToStarter.Connect]. The one descriptor is the connection; without one it failed.
    record Connected(long id) implements ToProcess {}

    default byte[] bytes() {
        return Parts.bytes(this::write);
    }

    private void write(DataOutputStream out) throws IOException {
        switch (this) {
            case Confine confine -> {
                out.writeByte(1);
                Parts.write(out, confine.filter());
            }
            case Open open -> {
                out.writeByte(2);
                out.writeInt(open.ports().size());
                for (int port : open.ports()) {
                    out.writeInt(port);
                }
            }
            case Replace _ -> out.writeByte(3);
            case Allowed allowed -> {
                out.writeByte(4);
                out.writeLong(allowed.id());
                out.writeBoolean(allowed.allowed());
            }
            case Found found -> {
                out.writeByte(5);
                out.writeLong(found.id());
                out.writeBoolean(found.known());
                out.writeInt(found.addresses().size());
                for (InetAddress address : found.addresses()) {
                    Parts.write(out, address.getAddress());
                }
            }
            case Connected connected -> {
                out.writeByte(6);
                out.writeLong(connected.id());
            }
        }
    }

    /// Reads a message.
    /// @throws ProtocolException if it is none
    static ToProcess read(byte[] message) throws ProtocolException {
        return Parts.read(message, ToProcess::read);
    }

    private static ToProcess read(DataInputStream in) throws IOException {
        int kind = in.readUnsignedByte();
        return switch (kind) {
            case 1 -> new Confine(Parts.array(in, MOST_BYTES));
            case 2 -> {
                var ports = new ArrayList<Integer>();
                for (int left = Parts.length(in, MOST_DESCRIPTORS); left > 0; left--) {
                    ports.add(in.readInt());
                }
                yield new Open(List.copyOf(ports));
            }
            case 3 -> new Replace();
            case 4 -> new Allowed(in.readLong(), in.readBoolean());
            case 5 -> found(in);
            case 6 -> new Connected(in.readLong());
            default -> throw new ProtocolException("a message has the unknown kind " + kind);
        };
    }

    private static Found found(DataInputStream in) throws IOException {
        long id = in.readLong();
        boolean known = in.readBoolean();
        var addresses = new ArrayList<InetAddress>();
        for (int left = Parts.length(in, MOST_ADDRESSES); left > 0; left--) {
            addresses.add(InetAddress.getByAddress(Parts.array(in, ADDRESS)));
        }
        return new Found(id, known, List.copyOf(addresses));
    }
}
