package dev.caisson.state;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Step;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.secret.Redaction;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/// The retained directory of a running container. It counts as running until this is closed or this
/// process ends: the lock of its directory goes with the last descriptor.
public final class KeptRun {
    private final KeptDirectory among;
    private final KeptDirectory.Entry entry;
    private final Fd directory;
    private final ContainerLog log;

    /// Begins to keep a container, before it is launched.
    /// @throws StateException NAME_IN_USE, TOO_MANY_KEPT, KEEP_FAILED
    public static KeptRun begin(
            KeptDirectory among,
            ContainerId id,
            Names.Taken name,
            ContainerSpec spec,
            int stopSignal,
            LaunchPlan plan) {
        List<String> command = plan.only(Step.Execute.class).arguments();
        var origin = new KeptFile.Origin(spec.image().toString(), command, spec.labels(), Instant.now(), stopSignal);
        try {
            return new KeptRun(among, new KeptDirectory.Entry(id, Optional.of(name.name()), name.isMadeUp()), origin);
        } catch (ErrnoException e) {
            throw new StateException(
                    "KEEP_FAILED",
                    "nothing can be kept of the container in " + among.path() + " (" + e.getMessage()
                            + "): make room there, or run with --rm",
                    e);
        }
    }

    private KeptRun(KeptDirectory among, KeptDirectory.Entry entry, KeptFile.Origin origin) {
        this.among = among;
        this.entry = entry;
        this.directory = among.make(entry, origin);
        try {
            this.log = new ContainerLog(directory, logName(entry.id()), ContainerLog.FILE_BYTES, ContainerLog.FILES);
        } catch (RuntimeException e) {
            removeDirectory();
            throw e;
        }
    }

    /// Returns the name that Docker uses, so that collectors of its logs find ours too.
    public static String logName(ContainerId id) {
        return id + "-json.log";
    }

    public ContainerLog log() {
        return log;
    }

    /// Takes what has been denied so far. It is written again at the end, so a failure now is not told.
    public synchronized void denied(Supplier<List<Denial>> denials) {
        if (!directory.isOpen()) {
            return; // the end has come, which told it
        }
        try {
            KeptFile.write(directory, denials.get());
        } catch (ErrnoException e) {
            System.getLogger(KeptRun.class.getName())
                    .log(System.Logger.Level.DEBUG, "denied calls of " + entry.id() + " are not written yet", e);
        }
    }

    /// Takes what else is known of it so far, as a file of this name. It is part of the end too, so a failure
    /// now is not told.
    public synchronized void noted(String file, Supplier<Map<String, Object>> fields) {
        if (!directory.isOpen()) {
            return; // the end has come, which told it
        }
        try {
            KeptFile.write(directory, file, fields.get());
        } catch (ErrnoException e) {
            System.getLogger(KeptRun.class.getName())
                    .log(System.Logger.Level.DEBUG, file + " of " + entry.id() + " is not written yet", e);
        }
    }

    /// Takes how the container ended; one that did not run is not kept.
    /// @param made gives how it ended, by name, for a reason why the log ends early, empty for none
    public synchronized void end(boolean ran, List<Denial> denials, Function<String, Map<String, Object>> made) {
        if (!ran) {
            discard();
            return;
        }
        log.end();
        try {
            if (!denials.isEmpty()) {
                KeptFile.write(directory, denials);
            }
            KeptFile.writeEnding(directory, made.apply(log.failure().orElse("")));
        } catch (RuntimeException e) { // the container is removed in any case
            warn("how " + entry.id() + " ended is not kept", e);
        } finally {
            directory.close();
        }
    }

    /// Leaves what is kept so far: nobody knows how the container ended.
    public synchronized void lose() {
        log.discard();
        directory.close();
    }

    /// Takes values of secrets out of the log.
    /// @param redaction closed when the run ends
    public void redact(Redaction redaction) {
        log.redact(redaction);
    }

    /// Keeps nothing after all.
    public synchronized void discard() {
        log.discard();
        removeDirectory();
    }

    private void removeDirectory() {
        try {
            among.discard(entry);
        } catch (RuntimeException e) { // the rest is removed in any case
            warn("what was to be kept of " + entry.id() + " stays", e);
        } finally {
            directory.close();
        }
    }

    private static void warn(String what, RuntimeException why) {
        System.getLogger(KeptRun.class.getName()).log(System.Logger.Level.WARNING, what + ": " + why.getMessage());
    }
}
