package dev.caisson.gate.wire;

import dev.caisson.spec.Gate;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ProtocolException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The settings of a container's gates, in a file in memory: too many bytes for a message.
///
/// @param gates in the order in which messages number them
/// @param container its address; others are not served
/// @param authority with its key, as `Authority` writes it
/// @param bundle certificates of the authorities that servers are verified by; empty for those of the JVM
/// @param patience the longest waits
public record Settings(
        List<Gate> gates, InetAddress container, String authority, Optional<byte[]> bundle, List<Duration> patience) {
    /// The longest file.
    public static final int MOST_BYTES = 8 << 20;

    private static final int MOST_GATES = 64;
    private static final int MOST_TEXT = 16_384;
    private static final int MOST_WAITS = 16;

    /// Returns them as [#read] reads them.
    public byte[] bytes() {
        return Parts.bytes(out -> {
            out.writeInt(gates.size());
            for (Gate gate : gates) {
                Parts.write(out, gate.text());
            }
            Parts.write(out, container.getAddress());
            Parts.write(out, authority);
            out.writeBoolean(bundle.isPresent());
            if (bundle.isPresent()) {
                Parts.write(out, bundle.get());
            }
            out.writeInt(patience.size());
            for (Duration wait : patience) {
                out.writeLong(wait.toNanos());
            }
        });
    }

    /// Reads what [#bytes] returns.
    /// @throws ProtocolException if it is something else
    public static Settings read(byte[] bytes) throws ProtocolException {
        return Parts.read(bytes, Settings::read);
    }

    private static Settings read(DataInputStream in) throws IOException {
        var gates = new ArrayList<Gate>();
        for (int left = Parts.length(in, MOST_GATES); left > 0; left--) {
            gates.add(Gate.parse(Parts.text(in, MOST_TEXT)));
        }
        InetAddress container = InetAddress.getByAddress(Parts.array(in, ToProcess.ADDRESS));
        String authority = Parts.text(in, MOST_TEXT);
        Optional<byte[]> bundle = in.readBoolean() ? Optional.of(Parts.array(in, MOST_BYTES)) : Optional.empty();
        var patience = new ArrayList<Duration>();
        for (int left = Parts.length(in, MOST_WAITS); left > 0; left--) {
            patience.add(Duration.ofNanos(in.readLong()));
        }
        return new Settings(List.copyOf(gates), container, authority, bundle, List.copyOf(patience));
    }
}
