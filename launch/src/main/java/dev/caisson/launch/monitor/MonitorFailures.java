package dev.caisson.launch.monitor;

import dev.caisson.launch.HostException;
import dev.caisson.linux.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// Errors of the conversation with a monitor.
public final class MonitorFailures {
    private static final String GONE = "MONITOR_GONE";

    private MonitorFailures() {}

    static HostException protocol(String what) {
        return new HostException("MONITOR_PROTOCOL", "the container's monitor " + what);
    }

    /// True if the monitor went away before it answered.
    public static boolean isGone(HostException e) {
        return e.code().equals(GONE);
    }

    static HostException gone() {
        return new HostException(
                GONE, "the container's monitor has ended, and the container with it: see 'caisson ps -a'");
    }

    static HostException start(int errno, byte[] payload) {
        String where = payload.length == 4
                ? " at its step "
                        + ByteBuffer.wrap(payload)
                                .order(ByteOrder.LITTLE_ENDIAN)
                                .getInt()
                : "";
        return new HostException(
                "MONITOR_START", "the container's monitor could not start (" + Errno.name(errno) + where + ")");
    }

    static HostException cannotRelink() {
        return new HostException(
                "MONITOR_VERSION",
                "the container was created by an earlier Caisson, or without networks, so that it cannot be given"
                        + " others: create it again");
    }

    static HostException keepsNoTerminal() {
        return new HostException(
                "MONITOR_VERSION",
                "the container was created by an earlier Caisson, which keeps no program with a terminal: create it again");
    }

    static HostException answersNoOthers() {
        return new HostException(
                "MONITOR_VERSION",
                "the container was created by an earlier Caisson, which keeps no program whose denied calls are reported:"
                        + " create it again");
    }

    static HostException showsNoFiles() {
        return new HostException(
                "MONITOR_VERSION",
                "the container was created by an earlier Caisson, which shows its files only while it runs: start it");
    }
}
