package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/// A process that does to containers what it reads from its standard input, an act and a name in a line, and answers
/// with "ok" or the code of the error.
final class LifecycleActor {
    /// A name that another container has for good.
    static final String TAKEN = "taken";

    private static final String AWAY = "-away";
    private static final long PATIENCE_NANOS = 20_000_000_000L;
    /// Longer than any test takes.
    private static final Duration LEASE = Duration.ofHours(1);

    private final Engine engine;
    private final EngineOptions options;

    private LifecycleActor(Engine engine, EngineOptions options) {
        this.engine = engine;
        this.options = options;
    }

    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        try (Engine engine = Engine.open(options);
                var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            var actor = new LifecycleActor(engine, options);
            System.out.println(EngineProcess.OPENED);
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ", 2);
                System.out.println(actor.outcome(LifecycleModel.Act.valueOf(words[0]), words[1]));
            }
        }
    }

    private String outcome(LifecycleModel.Act act, String name) throws InterruptedException {
        try {
            return act(act, name);
        } catch (CaissonException e) {
            if (LifecycleModel.isExpected(e.code())) {
                return e.code();
            }
            e.printStackTrace();
            return e.toString();
        } catch (RuntimeException | Error e) {
            e.printStackTrace();
            return e.toString();
        }
    }

    private String act(LifecycleModel.Act act, String name) throws InterruptedException {
        if (act == LifecycleModel.Act.CREATE) {
            engine.create(ContainerSpec.onHost("sleep", "1000").name(name), DetachedOptions.STANDARD.lease(LEASE));
            return LifecycleModel.OK;
        }
        if (act == LifecycleModel.Act.EXEC) {
            ExecResult result = engine.exec(name, Exec.of("true"), Streams.capture());
            return result.isOk() ? LifecycleModel.OK : "ended with " + result.exitStatus();
        }
        Optional<DetachedContainer> found = DetachedContainer.find(name, options);
        if (found.isEmpty()) {
            return "CONTAINER_UNKNOWN";
        }
        if (act == LifecycleModel.Act.RENAME_AND_BACK) {
            found.get().rename(name + AWAY);
            found = DetachedContainer.find(name + AWAY, options);
            if (found.isEmpty()) {
                return "CONTAINER_UNKNOWN";
            }
            found.get().rename(name);
            return LifecycleModel.OK;
        }
        act(act, found.get());
        return LifecycleModel.OK;
    }

    /// Lets its lease run out and does what the next commands do, until it is gone or somebody has made it again. A
    /// monitor that ends has its locks a little longer than its socket.
    private void endLease(DetachedContainer container) throws InterruptedException {
        boolean renewed = false;
        while (container.hasMonitor()) {
            try {
                container.renew(Duration.ofMillis(1));
                renewed = true;
            } catch (EngineException e) {
                if (renewed && e.code().equals("CONTAINER_UNKNOWN")) {
                    return; // somebody else has removed it because its lease was over
                }
                if (!e.code().equals("CONTAINER_DEAD") && !e.code().equals("LEASE_OVER")) {
                    throw e;
                }
            }
            Thread.sleep(5);
        }
        long begun = System.nanoTime();
        while (!container.hasMonitor()
                && DetachedContainer.find(container.id().value(), options).isPresent()) {
            Leftovers.clear(options);
            if (System.nanoTime() - begun > PATIENCE_NANOS) {
                throw new AssertionError("it is not cleared");
            }
        }
    }

    private void act(LifecycleModel.Act act, DetachedContainer container) throws InterruptedException {
        switch (act) {
            case CREATE, EXEC, RENAME_AND_BACK -> throw new AssertionError();
            case START -> container.start();
            case STOP -> container.stop(OptionalInt.empty(), Optional.of(Duration.ofSeconds(20)));
            case KILL -> container.signal(9);
            case RESTART -> container.restart(OptionalInt.empty(), Optional.of(Duration.ofSeconds(20)));
            case PAUSE -> container.pause();
            case RESUME -> container.resume();
            case UPDATE -> container.update(limits -> limits.memory(Bytes.mebibytes(200)), Optional.empty());
            case RESTART_ALWAYS -> restart(container, RestartPolicy.Kind.ALWAYS);
            case RESTART_NEVER -> restart(container, RestartPolicy.Kind.NO);
            case RENEW -> container.renew(LEASE);
            case END_OF_LEASE -> endLease(container);
            case RENAME -> container.rename(TAKEN);
            case REMOVE -> container.remove(false);
            case REMOVE_BY_FORCE -> container.remove(true);
        }
    }

    private static void restart(DetachedContainer container, RestartPolicy.Kind kind) throws InterruptedException {
        container.update(limits -> limits, Optional.of(new RestartPolicy(kind, 0)));
    }
}
