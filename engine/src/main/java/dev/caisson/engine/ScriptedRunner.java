package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.ContainerSpec;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.function.Function;

/// A runner for tests of services: it runs nothing, needs no root, and answers what it was told to, in that order.
///
/// ```java
/// var runner = new ScriptedRunner()
///         .then(RunResult.of(Verdict.OK, 0).withOutput("hello\n", ""))
///         .fail(new EngineException("ENGINE_CLOSED", "the engine is closed: open another"))
///         .open(new ScriptedSession().then(ExecResult.of(Verdict.OK, 0, "42\n", "")));
/// ```
///
/// Threads may share it.
public final class ScriptedRunner implements ContainerRunner, SessionOpener {
    private final Queue<Function<ContainerSpec, RunResult>> answers = new ArrayDeque<>();
    private final List<ContainerSpec> specs = new ArrayList<>();
    private final Queue<ScriptedSession> sessions = new ArrayDeque<>();
    private final List<ContainerSpec> sessionSpecs = new ArrayList<>();

    /// A runner without answers yet.
    public ScriptedRunner() {}

    /// Answers the next run with `result`.
    public ScriptedRunner then(RunResult result) {
        present(result, "result");
        return answer(spec -> result);
    }

    /// Fails the next run with `failure`.
    public ScriptedRunner fail(CaissonException failure) {
        present(failure, "failure");
        return answer(spec -> {
            throw failure;
        });
    }

    /// Answers the next run with what `answer` makes of its spec.
    public synchronized ScriptedRunner answer(Function<ContainerSpec, RunResult> answer) {
        answers.add(present(answer, "answer"));
        return this;
    }

    /// Answers the next request for a session with this one.
    public synchronized ScriptedRunner open(ScriptedSession session) {
        sessions.add(present(session, "session"));
        return this;
    }

    /// Returns the specs of all sessions so far.
    public synchronized List<ContainerSpec> sessions() {
        return List.copyOf(sessionSpecs);
    }

    /// @throws IllegalStateException if no session is left
    @Override
    public synchronized Session session(ContainerSpec spec) throws InterruptedException {
        sessionSpecs.add(present(spec, "spec"));
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        ScriptedSession session = sessions.poll();
        if (session == null) {
            throw new IllegalStateException("no session is left for " + spec + ": add one with open");
        }
        return session;
    }

    /// The specs of all runs so far.
    public synchronized List<ContainerSpec> specs() {
        return List.copyOf(specs);
    }

    /// @throws IllegalStateException if no answer is left
    @Override
    public RunResult run(ContainerSpec spec) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        return next(spec).apply(spec);
    }

    private synchronized Function<ContainerSpec, RunResult> next(ContainerSpec spec) {
        specs.add(present(spec, "spec"));
        Function<ContainerSpec, RunResult> answer = answers.poll();
        if (answer == null) {
            throw new IllegalStateException("no answer is left for " + spec + ": add one with then");
        }
        return answer;
    }
}
