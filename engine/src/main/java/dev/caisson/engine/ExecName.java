package dev.caisson.engine;

import dev.caisson.linux.ProcessTimes;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The name of a part of a container's control group, for one more program: `exec-PID-START-ID`, after the process that
/// runs it. A part of a process that was killed is known by that, and does not stay as long as the container.
record ExecName(String text) implements AutoCloseable {
    private static final Pattern FORM = Pattern.compile("exec-([0-9]{1,9})-([0-9]{1,18})-[0-9a-f]{16}");
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int ID_BYTES = 8;
    private static final int OWN_PID = (int) ProcessHandle.current().pid();

    /// Those of programs that engines of this process start, run and clear up after.
    private static final Set<String> IN_USE = ConcurrentHashMap.newKeySet();

    static ExecName random() {
        byte[] id = new byte[ID_BYTES];
        RANDOM.nextBytes(id);
        var name = new ExecName("exec-" + OWN_PID + "-" + ProcessTimes.startTime(OWN_PID) + "-"
                + HexFormat.of().formatHex(id));
        IN_USE.add(name.text);
        return name;
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
