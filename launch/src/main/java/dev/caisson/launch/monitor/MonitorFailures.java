package dev.caisson.launch.monitor;

import dev.caisson.launch.HostException;
import dev.caisson.linux.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;

/// Errors of the conversation with a monitor.
public final class MonitorFailures {
    private static final String GONE = "MONITOR_GONE";
    private static final String SILENT = "MONITOR_SILENT";

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

    /// True if the monitor is there and does not answer.
    public static boolean isSilent(HostException e) {
        return e.code().equals(SILENT);
    }

    static HostException silent(int pid, Duration waited) {
        return new HostException(
                SILENT,
                "the container's monitor, process " + pid + ", has not answered for " + waited.toSeconds()
                        + " seconds: try again when the host is less busy, or remove the container with 'caisson rm -f'");
    }

    static HostException crowded(Duration waited) {
        return new HostException(
                SILENT,
                "the container's monitor has taken no connection for " + waited.toSeconds()
                        + " seconds: see with 'ps' whether it is stopped, or remove the container with 'caisson rm -f'");
    }

    static HostException stopped(int pid) {
        return new HostException(
                SILENT,
                "the container's monitor, process " + pid
                        + ", is stopped and does not answer: let it go on with 'kill -CONT " + pid
                        + "', or remove the container with 'caisson rm -f'");
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
