package dev.caisson.engine;

import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.SlotSource;
import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.ProcessTimes;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Waits until runs in the foreground have what has changed in the store, at which their own engines look.
final class RunsReached {
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final long PAUSE_MILLIS = 2;

    private final SecretName secret;
    private final Optional<SecretStore> store;

    /// @param store has the value that they are to have; empty if they are to have none
    RunsReached(SecretName secret, Optional<SecretStore> store) {
        this.secret = secret;
        this.store = store;
    }

    /// Returns those that do not have it in time, or cannot have it.
    List<SecretUpdate.Missed> await(EngineOptions options) throws InterruptedException {
        Set<String> background = DetachedPlace.all(options).stream()
                .map(place -> place.id().value())
                .collect(Collectors.toSet());
        var missed = new ArrayList<SecretUpdate.Missed>();
        var waiting = new ArrayList<ContainerRecord>();
        for (ContainerRecord record : State.runningIn(options.state())) {
            if (background.contains(record.id()) || files(record).isEmpty()) {
                continue;
            }
            if (record.plan().plan().mayMount()) {
                missed.add(new SecretUpdate.Missed(record.name(), SecretUpdate.SEALED));
            } else {
                waiting.add(record);
            }
        }
        long until = System.nanoTime() + PATIENCE.toNanos();
        waiting.removeIf(this::isReached);
        while (!waiting.isEmpty() && System.nanoTime() - until < 0) {
            Thread.sleep(PAUSE_MILLIS);
            waiting.removeIf(this::isReached);
        }
        waiting.forEach(
                record -> missed.add(
                        new SecretUpdate.Missed(
                                record.name(),
                                "its command has not changed it within " + PATIENCE.toSeconds()
                                        + " s, and says why: a kernel before 6.15, a store that is locked, or a secret that is for others")));
        return missed;
    }

    private List<SlotSource.Secrets.Placed> files(ContainerRecord record) {
        LaunchPlan plan = record.plan().plan();
        return ShownSecrets.files(plan).stream()
                .filter(file -> file.secret().equals(secret))
                .toList();
    }

    private boolean isReached(ContainerRecord record) {
        try (Fd root = FileSystem.open("/proc/" + record.pid() + "/root", FileSystem.O_PATH | FileSystem.O_DIRECTORY)) {
            return files(record).stream().allMatch(file -> isReached(root, file.file()))
                    || !ProcessTimes.isRunning(record.pid(), record.startTime());
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT) || e.is(Errno.ESRCH) || e.is(Errno.EACCES)) {
                return true; // it has ended
            }
            throw e;
        }
    }

    private boolean isReached(Fd root, SecretName file) {
        Optional<SecretValue> found = OwnSecrets.read(root, file);
        if (found.isEmpty() || store.isEmpty()) {
            return found.isEmpty() && store.isEmpty();
        }
        try (SecretValue value = found.get()) {
            return store.get().isCurrent(secret, value);
        }
    }
}
