package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Snapshot;
import dev.caisson.spec.ContainerId;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Function;

/// A session for tests of services: it runs nothing, needs no root, and answers programs with what it was
/// told to, in that order. Its files are in memory, and stay readable for the test after it was closed.
///
/// ```java
/// var session = new ScriptedSession()
///         .then(ExecResult.of(Verdict.OK, 0, "42\n", ""))
///         .answer(exec -> ExecResult.of(Verdict.EXIT, exec.command().size(), "", ""));
/// var runner = new ScriptedRunner().open(session);
/// ```
///
/// Snapshots, archives, copies from and to the host, and watches of files are refused with
/// UnsupportedOperationException: what they do is tested with an engine. Threads may share it.
public final class ScriptedSession implements Session {
    private final ContainerId id = ContainerId.random();
    private final Queue<Function<Exec, ExecResult>> answers = new ArrayDeque<>();
    private final List<Exec> execs = new ArrayList<>();
    private final ScriptedFiles files = new ScriptedFiles();
    private int renewals;
    private boolean ended;

    /// A session without answers yet.
    public ScriptedSession() {}

    /// Answers the next program with `result`.
    public ScriptedSession then(ExecResult result) {
        present(result, "result");
        return answer(exec -> result);
    }

    /// Fails the next program with `failure`.
    public ScriptedSession fail(CaissonException failure) {
        present(failure, "failure");
        return answer(exec -> {
            throw failure;
        });
    }

    /// Answers the next program with what `answer` makes of it, which may write [#files].
    public synchronized ScriptedSession answer(Function<Exec, ExecResult> answer) {
        answers.add(present(answer, "answer"));
        return this;
    }

    /// Returns all programs so far.
    public synchronized List<Exec> execs() {
        return List.copyOf(execs);
    }

    /// Returns how often its lease was renewed.
    public synchronized int renewals() {
        return renewals;
    }

    /// Ends it by itself, as the end of a lease does.
    public synchronized void end() {
        ended = true;
    }

    @Override
    public ContainerId id() {
        return id;
    }

    @Override
    public String name() {
        return "scripted";
    }

    /// @throws IllegalStateException if no answer is left
    @Override
    public ExecResult exec(Exec exec) throws InterruptedException {
        present(exec, "exec");
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        return next(exec).apply(exec);
    }

    /// Like [#exec(Exec)]; output and errors of the answer are written to streams that are copied to.
    @Override
    public ExecResult exec(Exec exec, Streams streams) throws InterruptedException {
        present(streams, "streams");
        ExecResult result = exec(exec);
        if (!(streams instanceof Streams.Copy copy)) {
            return result;
        }
        var failures = new ArrayList<>(result.streamFailures());
        write(result.stdout(), copy.output(), StreamFailure.Stream.STDOUT, failures);
        write(result.stderr(), copy.errors(), StreamFailure.Stream.STDERR, failures);
        return new ExecResult(
                result.verdict(),
                result.exitCode(),
                result.signal(),
                RunResult.Captured.NOTHING,
                RunResult.Captured.NOTHING,
                result.wallClock(),
                result.cpuTime(),
                result.peakMemory(),
                result.oomKills(),
                result.pidsRefused(),
                result.denials(),
                failures);
    }

    private static void write(String text, OutputStream to, StreamFailure.Stream stream, List<StreamFailure> failures) {
        try {
            to.write(text.getBytes(StandardCharsets.UTF_8));
            to.flush();
        } catch (IOException e) {
            failures.add(StreamFailure.failed(stream, e));
        }
    }

    private synchronized Function<Exec, ExecResult> next(Exec exec) {
        requireRunning();
        execs.add(exec);
        Function<Exec, ExecResult> answer = answers.poll();
        if (answer == null) {
            throw new IllegalStateException("no answer is left for " + exec + ": add one with then");
        }
        return answer;
    }

    private void requireRunning() {
        if (ended) {
            throw new EngineException(
                    "CONTAINER_NOT_RUNNING", "the session " + name() + " has ended: open another one");
        }
    }

    @Override
    public ContainerFiles files() {
        return files;
    }

    @Override
    public Snapshot snapshot(String name) {
        present(name, "name");
        throw new UnsupportedOperationException("a scripted session takes no snapshots: test those with an engine");
    }

    @Override
    public synchronized void renew() {
        requireRunning();
        renewals++;
    }

    @Override
    public synchronized boolean isRunning() {
        return !ended;
    }

    @Override
    public void close() {
        end();
    }
}
