package dev.caisson.engine;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.StoreStamp;
import dev.caisson.secret.WarmStore;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.OnSecretChange;
import dev.caisson.spec.SecretFile;
import dev.caisson.state.KeptRun;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Brings new values of secrets to the containers that this engine runs: each engine to its own, as it alone has their
/// output and their files.
final class RunSecrets implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(RunSecrets.class.getName());
    private static final Duration FAILED = Duration.ofSeconds(1);

    /// A container that runs.
    private static final class Run {
        private final Container container;
        private final ContainerSpec spec;
        private final ShownSecrets shown;
        private final Optional<Digest> image;
        private final String label;
        private final Optional<KeptRun> kept;
        /// The store that its values were compared with last.
        private Optional<StoreStamp> seen;

        private boolean over;

        private Run(
                Container container, ContainerSpec spec, ShownSecrets shown, SecretFiles read, Optional<KeptRun> kept) {
            this.container = container;
            this.spec = spec;
            this.shown = shown;
            this.image = read.image();
            this.label = read.label();
            this.kept = kept;
            this.seen = read.stamp();
        }

        private List<SecretName> secrets() {
            return SecretUpdate.files(spec).stream()
                    .map(SecretFile::secret)
                    .distinct()
                    .toList();
        }

        private synchronized void end() {
            over = true;
            shown.close();
        }
    }

    private final WarmStore store;
    private final List<Run> runs = new ArrayList<>();
    private @Nullable Thread looking;

    /// @param store is the caller's to close
    RunSecrets(WarmStore store) {
        this.store = store;
    }

    /// Takes a container with secrets, until its end.
    ///
    /// @param read its values, which stay the caller's
    void add(Container container, ContainerSpec spec, LaunchPlan plan, SecretFiles read, Optional<KeptRun> kept) {
        Optional<ShownSecrets> shown = read.changeable(plan);
        if (shown.isEmpty()) {
            return;
        }
        var run = new Run(container, spec, shown.get(), read, kept);
        synchronized (this) {
            runs.add(run);
            if (looking == null) {
                looking = Thread.ofPlatform()
                        .daemon()
                        .name("caisson secret values")
                        .start(this::look);
            }
        }
        var _ = container.onExit().whenComplete((_, _) -> end(run));
    }

    private void end(Run run) {
        run.end();
        synchronized (this) {
            runs.remove(run);
        }
    }

    /// Returns the containers that run.
    synchronized List<SecretRenewals.Holder> holders() {
        return runs.stream()
                .map(run -> new SecretRenewals.Holder(
                        run.container.id(),
                        run.container.name(),
                        new SecretSources.Starting(run.spec, run.image, run.label)))
                .toList();
    }

    private synchronized List<Run> open() {
        if (runs.isEmpty()) {
            looking = null;
        }
        return List.copyOf(runs);
    }

    /// Waits for changes of the store while there are containers.
    private void look() {
        try (var changes = new StoreChanges(store.directory())) {
            for (List<Run> open = open(); !open.isEmpty(); open = open()) {
                if (!tryToBring(open)) {
                    Thread.sleep(FAILED);
                }
                changes.await();
            }
        } catch (InterruptedException e) {
            // the engine is closed
        }
    }

    /// @return false if it is to be tried again
    private boolean tryToBring(List<Run> open) throws InterruptedException {
        try {
            return bring(open);
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.WARNING, "new values of secrets are not brought, which is tried again", e);
            return false;
        }
    }

    /// @return false if it is to be tried again
    private boolean bring(List<Run> open) throws InterruptedException {
        boolean done = true;
        for (Run run : open) {
            Optional<StoreStamp> stamp = StoreStamp.of(store.directory());
            if (stamp.isEmpty() || stamp.equals(run.seen)) {
                continue;
            }
            boolean brought = true;
            for (SecretName secret : run.secrets()) {
                brought &= bring(run, secret);
            }
            if (brought) {
                run.seen = stamp;
            }
            done &= brought;
        }
        return done;
    }

    private boolean bring(Run run, SecretName secret) throws InterruptedException {
        try {
            if (store.use(opened -> bring(run, secret, opened))) {
                act(run, secret);
            }
            return true;
        } catch (CaissonException e) {
            LOG.log(
                    System.Logger.Level.WARNING,
                    "the secret " + secret + " of container " + run.container.name() + " has the value that it had: "
                            + e.sentence());
            return !(e instanceof SecretException busy && busy.reason() == SecretException.Code.SECRET_BUSY);
        }
    }

    /// @return true if the container has another value
    private static boolean bring(Run run, SecretName secret, SecretStore opened) {
        boolean known = opened.list().stream().anyMatch(one -> one.name().equals(secret));
        synchronized (run) { // its files are not closed meanwhile
            if (run.over) {
                return false;
            }
            if (!known) { // one that was removed stays, one that was revoked goes
                if (opened.isRevoked(secret)) {
                    run.shown.wipe(secret);
                }
                return false;
            }
            if (!run.shown.isOld(secret, opened)) {
                return false;
            }
            try (SecretValue value =
                    opened.deliver(secret, access -> SecretFiles.allows(access, run.spec, run.image), run.label)) {
                redact(run, secret, value, opened); // before the program can print it
                run.shown.put(secret, value);
            }
            return true;
        }
    }

    private static void redact(Run run, SecretName secret, SecretValue value, SecretStore opened) {
        if (run.kept.isEmpty()) {
            return;
        }
        var all = new ArrayList<Map.Entry<SecretName, SecretValue>>();
        try {
            for (SecretName name : run.secrets()) {
                if (opened.list().stream().anyMatch(one -> one.name().equals(name))) {
                    opened.former(name, run.label).forEach(one -> all.add(Map.entry(name, one)));
                }
            }
            var with = new ArrayList<>(all);
            with.add(Map.entry(secret, value));
            run.kept.get().redact(run.shown.redaction(with));
        } finally {
            all.forEach(one -> one.getValue().close());
        }
    }

    /// Tells the program, without waiting for what it does.
    private static void act(Run run, SecretName secret) {
        SecretUpdate.files(run.spec).stream()
                .filter(file -> file.secret().equals(secret))
                .map(SecretFile::onChange)
                .distinct()
                .forEach(wanted -> {
                    switch (wanted) {
                        case OnSecretChange.Nothing _, OnSecretChange.Restart _ -> {}
                        case OnSecretChange.Signal signal -> run.container.signal(signal.number());
                        case OnSecretChange.Program program ->
                            Thread.ofVirtual().start(() -> run(run, program));
                    }
                });
    }

    private static void run(Run run, OnSecretChange.Program program) {
        Optional<String> failed;
        try {
            failed = ChangeProgram.failure(run.container.exec(ChangeProgram.of(program)));
        } catch (CaissonException e) {
            failed = Optional.of(e.sentence());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        failed.ifPresent(why -> LOG.log(
                System.Logger.Level.WARNING,
                "container " + run.container.name() + " has a new value of a secret, and " + why));
    }

    @Override
    public synchronized void close() {
        if (looking != null) {
            looking.interrupt();
            looking = null;
        }
    }
}
