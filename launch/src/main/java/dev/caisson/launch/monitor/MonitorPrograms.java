package dev.caisson.launch.monitor;

import dev.caisson.launch.HostException;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import java.util.HexFormat;
import java.util.List;

/// Requests to a monitor about further programs of its container, as [Monitor] makes them.
public final class MonitorPrograms {
    private final Monitor monitor;

    MonitorPrograms(Monitor monitor) {
        this.monitor = monitor;
    }

    /// Hands over a program that was started in the container and stands in front of its start.
    /// @param id of [ExecLog#ID_DIGITS] hexadecimal digits
    /// @param control its socket of reports; stays the caller's
    public void adopt(String id, Fd control) throws InterruptedException {
        Monitor.checked(monitor.ask(Requests.ADOPT, 0, HexFormat.of().parseHex(id), List.of(control)));
    }

    /// Has it read and drop what a program that was handed over writes to its terminal, or the program would stand
    /// still once that is full.
    /// @param terminal its master; stays the caller's
    /// @return false if no such program was handed over, or it has ended
    /// @throws HostException MONITOR_VERSION if the monitor was started by a build that has no such request
    public boolean read(String id, Fd terminal) throws InterruptedException {
        Packet reply = monitor.ask(Requests.READ, 0, HexFormat.of().parseHex(id), List.of(terminal));
        if (reply.argument() == Errno.EOPNOTSUPP) {
            throw MonitorFailures.keepsNoTerminal();
        }
        if (reply.argument() == Errno.ESRCH) {
            return false;
        }
        Monitor.checked(reply);
        return true;
    }

    /// Returns whether it would answer the filter of one more program that is started in the container: a
    /// monitor of an earlier build does not, nor does one that answers as many as it can.
    public boolean answersOneMore() throws InterruptedException {
        int refusal = monitor.ask(Requests.ANSWER, 0).argument();
        return refusal != Errno.EOPNOTSUPP && refusal != Errno.EBUSY;
    }

    /// Refuses a monitor of an earlier build, which answers no other programs.
    /// @throws HostException MONITOR_VERSION
    public void requireAnswersOthers() throws InterruptedException {
        if (monitor.ask(Requests.ANSWER, 0).argument() == Errno.EOPNOTSUPP) {
            throw MonitorFailures.answersNoOthers();
        }
    }

    /// Has it answer a program's filter, which is the container's, and note what that denies.
    /// @param listener stays the caller's
    /// @return false if nobody does: the container has ended, or too many programs are answered
    /// @throws HostException MONITOR_VERSION if the monitor was started by a build that has no such request
    public boolean answer(Fd listener) throws InterruptedException {
        Packet reply = monitor.ask(Requests.ANSWER, 0, new byte[0], List.of(listener));
        return switch (reply.argument()) {
            case Errno.ESRCH, Errno.EBUSY -> false;
            case Errno.EOPNOTSUPP -> throw MonitorFailures.answersNoOthers();
            default -> {
                Monitor.checked(reply);
                yield true;
            }
        };
    }
}
