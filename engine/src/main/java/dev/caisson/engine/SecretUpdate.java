package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.SlotSource;
import dev.caisson.launch.monitor.Monitor;
import dev.caisson.linux.Fd;
import dev.caisson.secret.Redaction;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.OnSecretChange;
import dev.caisson.spec.SecretFile;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/// Gives containers the present value of a secret, or takes it away: those in the background, whether they run or not.
/// Runs in the foreground have engines that look at the store themselves, for which this waits.
public final class SecretUpdate {
    static final String SEALED = "it may mount file systems (SYS_ADMIN), so nobody can change its secrets:"
            + " create it again to give it others";

    /// A container that has not, or not all of, what it was to get.
    ///
    /// @param reason a sentence
    public record Missed(String container, String reason) {}

    private final EngineOptions options;
    private final SecretName secret;
    private final List<Missed> missed = new ArrayList<>();
    private final List<Runnable> later = new ArrayList<>();

    private SecretUpdate(EngineOptions options, SecretName secret) {
        this.options = options;
        this.secret = secret;
    }

    /// Replaces the value in each container that has the secret and may be given it, then does what it asks for on a
    /// change.
    ///
    /// @return those that were not reached; others are all the same
    public static List<Missed> deliver(SecretName secret, SecretStore store, EngineOptions options)
            throws InterruptedException {
        var update = new SecretUpdate(options, secret);
        update.each((container, files) -> update.deliver(container, files, store));
        update.missed.addAll(new RunsReached(secret, Optional.of(store)).await(options));
        update.later.forEach(Runnable::run); // a restart may take long
        return List.copyOf(update.missed);
    }

    /// Overwrites the value in each container that has the secret, and removes its files there.
    ///
    /// @return those that were not reached; others are all the same
    public static List<Missed> revoke(SecretName secret, EngineOptions options) throws InterruptedException {
        var update = new SecretUpdate(options, secret);
        update.each((container, files) -> update.revoke(container, files));
        update.missed.addAll(new RunsReached(secret, Optional.empty()).await(options));
        return List.copyOf(update.missed);
    }

    /// Returns whether the spec of a container in the background has a secret, which the store need not have any
    /// more: a revoke may have been killed between the two.
    public static boolean isGiven(SecretName secret, EngineOptions options) {
        return DetachedPlace.all(options).stream()
                .flatMap(place -> KeptSpec.of(place.id(), options).stream())
                .anyMatch(spec -> !files(spec, secret).isEmpty());
    }

    /// A container that has a monitor.
    private record Standing(DetachedPlace place, ContainerSpec spec, LaunchPlan plan, Monitor monitor) {}

    private interface Act {
        void on(Standing container, List<SecretFile> files) throws InterruptedException;
    }

    private void each(Act act) throws InterruptedException {
        for (DetachedPlace place : DetachedPlace.all(options)) {
            try {
                Optional<ContainerSpec> spec = KeptSpec.of(place.id(), options);
                List<SecretFile> files = spec.map(one -> files(one, secret)).orElse(List.of());
                if (spec.isPresent() && !files.isEmpty()) {
                    on(place, spec.get(), files, act);
                }
            } catch (CaissonException e) {
                if (!e.code().equals("CONTAINER_UNKNOWN")) { // it was removed meanwhile
                    missed.add(new Missed(place.name(), e.sentence()));
                }
            } catch (UncheckedIOException e) { // the others are reached all the same
                missed.add(new Missed(place.name(), "a file of it cannot be read (" + e.getMessage() + ")"));
            }
        }
    }

    private static List<SecretFile> files(ContainerSpec spec, SecretName secret) {
        return files(spec).stream().filter(file -> file.secret().equals(secret)).toList();
    }

    static List<SecretFile> files(ContainerSpec spec) {
        return spec.mounts().stream()
                .filter(Mount.Secrets.class::isInstance)
                .flatMap(mount -> ((Mount.Secrets) mount).files().stream())
                .toList();
    }

    /// Under the container's lock, so that of two updates the later one has the last word.
    private void on(DetachedPlace place, ContainerSpec spec, List<SecretFile> files, Act act)
            throws InterruptedException {
        try (DetachedHold _ = place.hold()) {
            Optional<Monitor> found = place.connect();
            if (found.isEmpty()) {
                return; // its next start reads the store
            }
            try (Monitor monitor = found.get()) {
                LaunchPlan plan = place.record().plan().plan();
                if (plan.mayMount()) {
                    throw new EngineException("SECRET_SEALED", SEALED);
                }
                act.on(new Standing(place, spec, plan, monitor), files);
            }
        }
    }

    private static Fd mount(Standing container) throws InterruptedException {
        int slot = SlotSource.position(container.plan().slots(), SlotSource.Secrets.class, 0);
        return container.monitor().mount(slot);
    }

    private void deliver(Standing container, List<SecretFile> files, SecretStore store) throws InterruptedException {
        DetachedPlace place = container.place();
        Optional<Digest> digest = container.spec().image() instanceof Image.Named named
                ? named.reference().digest()
                : Optional.empty();
        try (SecretValue value = store.deliver(
                        secret,
                        access -> SecretFiles.allows(access, container.spec(), digest),
                        "container " + place.id().value());
                Fd mount = mount(container);
                var shown = new ShownSecrets(container.plan(), mount)) {
            redact(container, shown, value, store); // before the program can print it
            shown.put(secret, value);
        }
        place.note("update", Map.of("secret", secret.text()));
        for (SecretFile file : files) {
            file.asVariable()
                    .ifPresent(name -> missed.add(new Missed(
                            place.name(),
                            "its variable " + name + " has the value of when it was created: create it again,"
                                    + " or have the program read the file")));
        }
        var wanted = new LinkedHashSet<OnSecretChange>();
        files.forEach(file -> wanted.add(file.onChange()));
        later.add(() -> act(place, wanted));
    }

    /// Keeps a value, and those that the container may have had before, out of its log: its program may have kept one.
    private void redact(Standing container, ShownSecrets shown, SecretValue value, SecretStore store)
            throws InterruptedException {
        var all = new ArrayList<Map.Entry<SecretName, SecretValue>>();
        all.add(Map.entry(secret, value));
        try {
            for (SecretName name : files(container.spec()).stream()
                    .map(SecretFile::secret)
                    .distinct()
                    .filter(name ->
                            store.list().stream().anyMatch(one -> one.name().equals(name)))
                    .toList()) {
                store.former(name, "container " + container.place().id().value())
                        .forEach(one -> all.add(Map.entry(name, one)));
            }
            try (Redaction redaction = shown.redaction(all)) {
                if (!redaction.isEmpty()) {
                    try (Fd table = redaction.table()) {
                        container.monitor().redact(table);
                    }
                }
            }
        } finally {
            all.stream().skip(1).forEach(one -> one.getValue().close()); // the first one is the caller's
        }
    }

    private void act(DetachedPlace place, Set<OnSecretChange> wanted) {
        var container = new DetachedContainer(place);
        try {
            if (!container.state().isUp()) {
                return;
            }
            if (wanted.contains(new OnSecretChange.Restart())) {
                container.restartWithItsSecrets(OptionalInt.empty(), Optional.<Duration>empty());
                return;
            }
            for (OnSecretChange one : wanted) {
                switch (one) {
                    case OnSecretChange.Nothing _, OnSecretChange.Restart _ -> {}
                    case OnSecretChange.Signal signal -> container.signal(signal.number());
                    case OnSecretChange.Program program -> run(place, program);
                }
            }
        } catch (CaissonException e) {
            missed.add(new Missed(place.name(), "it has the value, and was not told of it: " + e.sentence()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run(DetachedPlace place, OnSecretChange.Program program) throws InterruptedException {
        try (Engine engine = Engine.open(options)) {
            ExecResult result = engine.exec(place.id().value(), ChangeProgram.of(program), Streams.capture());
            ChangeProgram.failure(result)
                    .ifPresent(why -> missed.add(new Missed(place.name(), "it has the value, and " + why)));
        }
    }

    private void revoke(Standing container, List<SecretFile> files) throws InterruptedException {
        DetachedPlace place = container.place();
        boolean any;
        try (Fd mount = mount(container);
                var shown = new ShownSecrets(container.plan(), mount)) {
            any = shown.wipe(secret);
        }
        if (any) {
            place.note("update", Map.of("revoked", secret.text()));
        }
        for (SecretFile file : files) {
            file.asVariable()
                    .ifPresent(name -> missed.add(new Missed(
                            place.name(), "its variable " + name + " still has the value: remove the container")));
        }
    }
}
