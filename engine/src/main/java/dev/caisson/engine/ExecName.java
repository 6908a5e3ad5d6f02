package dev.caisson.engine;

import dev.caisson.linux.ProcessTimes;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The name of a part of a container's control group, for one more program: `exec-PID-START-ID`, after the process that
/// runs it and the program's id in events. A part of a process that was killed is known by that, and does not stay as
/// long as the container.
record ExecName(String text) implements AutoCloseable {
    private static final Pattern FORM = Pattern.compile("exec-([0-9]{1,9})-([0-9]{1,18})-([0-9a-f]{16,64})");
    private static final int ID = 3;
    private static final int OWN_PID = (int) ProcessHandle.current().pid();

    /// Those of programs that engines of this process start, run and clear up after.
    private static final Set<String> IN_USE = ConcurrentHashMap.newKeySet();

    /// @param id of 64 hexadecimal digits
    static ExecName of(String id) {
        var name = new ExecName("exec-" + OWN_PID + "-" + ProcessTimes.startTime(OWN_PID) + "-" + id);
        IN_USE.add(name.text);
        return name;
    }

    /// Returns the id of the program whose part has this name; empty if that is no such name.
    static Optional<String> id(String name) {
        Matcher parts = FORM.matcher(name);
        return parts.matches() ? Optional.of(parts.group(ID)) : Optional.empty();
    }

    /// Returns whether nobody will remove the part of this name. What is no such name is somebody else's.
    static boolean isStale(String name) {
        Matcher parts = FORM.matcher(name);
        if (!parts.matches() || IN_USE.contains(name)) {
            return false;
        }
        int pid = Integer.parseInt(parts.group(1));
        return pid == OWN_PID || !ProcessTimes.isRunning(pid, Long.parseLong(parts.group(2)));
    }

    /// Its program has ended: what is left in the part is the container's.
    @Override
    public void close() {
        IN_USE.remove(text);
    }
}
