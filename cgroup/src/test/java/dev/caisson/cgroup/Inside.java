package dev.caisson.cgroup;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// A shell that joins a group and then runs a script in it.
final class Inside implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 60;

    /// A script that makes processes without an end, says so by a line, and waits. User-mode Linux dies of a
    /// process that is killed while it makes a copy of its memory for another, one time in five; there they share
    /// it (vfork).
    static final String FORKING = "if grep -q '^model.*UML' /proc/cpuinfo"
            + "; then yes up | busybox xargs -n 1 echo | { read -r line; echo up; exec cat >/dev/null; }"
            + "; else (while :; do (exit 0); done) & echo up; wait; fi";

    private final Process process;

    private Inside(Process process) {
        this.process = process;
    }

    static Inside start(Cgroup cgroup, String script) throws IOException {
        var join = new StringBuilder();
        for (Tree tree : cgroup.trees()) {
            join.append("echo 0 > '")
                    .append(tree.path().resolve(cgroup.path()))
                    .append(tree.isUnified() ? "/cgroup.procs'" : "/tasks'")
                    .append(" || exit 99\n");
        }
        var command = new ArrayList<>(List.of("sh", "-c", join + script));
        return new Inside(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.PIPE)
                .start());
    }

    /// Runs the script to its end and gives its status.
    static int run(Cgroup cgroup, String script) throws IOException, InterruptedException {
        try (Inside inside = start(cgroup, script)) {
            inside.process.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
            return inside.status();
        }
    }

    /// Waits until the script has written a line.
    String line() throws IOException {
        String line = process.inputReader().readLine();
        return line == null ? "" : line;
    }

    List<String> lines(int count) throws IOException {
        var lines = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            lines.add(line());
        }
        return lines;
    }

    int status() throws InterruptedException {
        if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("the script did not end");
        }
        return process.exitValue();
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
