package dev.caisson.engine;

import dev.caisson.linux.Fd;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.Denial;
import dev.caisson.spec.DeniedDestination;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.KeptDirectory;
import dev.caisson.state.KeptFile;
import dev.caisson.state.LogReader;
import dev.caisson.state.State;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// A container that is kept after its end: what it said, and how it ended. Whichever process runs it or ran it;
/// it may run still.
public final class KeptContainer {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long PAUSE_MILLIS = 10;

    private final EngineOptions options;
    private final KeptDirectory among;
    private final KeptDirectory.Entry entry;
    private final KeptFile.Origin origin;

    private KeptContainer(
            EngineOptions options, KeptDirectory among, KeptDirectory.Entry entry, KeptFile.Origin origin) {
        this.options = options;
        this.among = among;
        this.entry = entry;
        this.origin = origin;
    }

    /// All of a state directory, the newest first.
    public static List<KeptContainer> all(EngineOptions options) {
        var among = new KeptDirectory(options.data(), options.state());
        return among.entries().stream()
                .map(entry -> of(options, among, entry))
                .flatMap(Optional::stream)
                .sorted(Comparator.comparing(KeptContainer::created).reversed())
                .toList();
    }

    private static Optional<KeptContainer> of(EngineOptions options, KeptDirectory among, KeptDirectory.Entry entry) {
        return among.open(entry).map(found -> {
            try (Fd own = found) {
                KeptFile.Origin unknown = new KeptFile.Origin("", List.of(), Map.of(), Instant.EPOCH);
                return new KeptContainer(
                        options, among, entry, KeptFile.origin(own).orElse(unknown));
            }
        });
    }

    /// One of them.
    ///
    /// @param container its name, or the beginning of its id
    /// @throws EngineException CONTAINER_UNKNOWN, CONTAINER_AMBIGUOUS, CONTAINER_NOT_KEPT
    public static KeptContainer find(String container, EngineOptions options) {
        var among = new KeptDirectory(options.data(), options.state());
        Optional<ContainerId> id = Lookup.find(container, options);
        return id.flatMap(among::find)
                .flatMap(entry -> of(options, among, entry))
                .orElseThrow(() -> unknown(container, id.flatMap(found -> State.running(found, options.state()))));
    }

    private static EngineException unknown(String container, Optional<ContainerRecord> running) {
        return running.isEmpty()
                ? Failures.unknown(container)
                : new EngineException(
                        "CONTAINER_NOT_KEPT",
                        "nothing is kept of the container '" + container + "' (--rm): run it without that");
    }

    public ContainerId id() {
        return entry.id();
    }

    /// Its name, which was made up if it was given none.
    public Optional<String> name() {
        return entry.name();
    }

    /// The image as it was asked for.
    public String image() {
        return origin.image();
    }

    /// Returns the digest of the image that it was made of, if it outlives its command and its image has one.
    Optional<String> imageDigest() {
        return new DetachedPlace(options, among, entry)
                .findFile()
                .map(DetachedFile::image)
                .filter(digest -> !digest.isEmpty());
    }

    /// The beginning of what it was to run.
    public List<String> command() {
        return origin.command();
    }

    /// Returns its labels.
    public Map<String, String> labels() {
        return origin.labels();
    }

    /// Returns the signal that asks it to end, if that is kept.
    public OptionalInt stopSignal() {
        return origin.stopSignal() == 0 ? OptionalInt.empty() : OptionalInt.of(origin.stopSignal());
    }

    public Instant created() {
        return origin.created();
    }

    /// Returns true if it runs, or will be started again by its policy.
    public boolean isRunning() {
        Optional<DetachedContainer> detached = detached();
        if (detached.isEmpty()) {
            return among.isRunning(entry);
        }
        ContainerState state = detached.get().stateNow();
        return state.isUp() || state instanceof ContainerState.Restarting;
    }

    DetachedPlace place() {
        return new DetachedPlace(options, among, entry);
    }

    /// Returns the same container with what may be asked of it, if it outlives its command.
    public Optional<DetachedContainer> detached() {
        DetachedPlace place = place();
        return place.findFile().isPresent() ? Optional.of(new DetachedContainer(place)) : Optional.empty();
    }

    /// How it ended, its output left out. Empty while it runs, and where its engine was killed before it could
    /// tell.
    public Optional<RunResult> result() {
        Optional<DetachedContainer> detached = detached();
        if (detached.isPresent()) {
            return detached.get().result();
        }
        return ending().map(Ending::result);
    }

    /// When it ended, where that is known.
    public Optional<Instant> ended() {
        Optional<DetachedContainer> detached = detached();
        if (detached.isPresent()) {
            return detached.get().stateNow().lastEnd().map(ContainerState.End::time);
        }
        return ending().map(Ending::time);
    }

    /// Returns why its log is incomplete, if it is.
    public Optional<String> logFailure() {
        Optional<DetachedContainer> detached = detached();
        if (detached.isPresent()) {
            return detached.get().logFailure();
        }
        return ending().map(Ending::logFailure).filter(text -> !text.isEmpty());
    }

    private Optional<Ending> ending() {
        return among.open(entry).flatMap(found -> {
            try (Fd own = found) {
                return Ending.in(own, entry.id());
            }
        });
    }

    /// Returns what its filter has denied so far, if that is recorded.
    public List<Denial> denials() {
        if (place().findFile().isPresent()) {
            return DetachedDenials.of(place());
        }
        return among.open(entry)
                .map(found -> {
                    try (Fd own = found) {
                        return KeptFile.denials(own);
                    }
                })
                .orElse(List.of());
    }

    /// Returns the set-user-ID and set-group-ID programs that it has executed without effect so far, if that is
    /// recorded.
    public SetIdPrograms setIdPrograms() {
        return findSetIdPrograms().orElse(SetIdPrograms.NONE);
    }

    /// Empty if nothing is recorded of them.
    Optional<SetIdPrograms> findSetIdPrograms() {
        if (place().findFile().isPresent()) {
            return DetachedSetId.find(place());
        }
        return ending().map(known -> known.result().setIdPrograms())
                .or(() -> among.open(entry).flatMap(found -> {
                    try (Fd own = found) {
                        return KeptFile.read(own, SetIdPrograms.FILE, SetIdPrograms::of);
                    }
                }));
    }

    /// Returns what its list of `--egress` kept from it so far, each destination once, the first 64, as far
    /// back as the events go.
    public List<DeniedDestination> deniedDestinations() {
        return ending().map(known -> known.result().deniedDestinations())
                .orElseGet(() -> DeniedDestinations.of(options, entry.id()));
    }

    /// Opens its log.
    ///
    /// @param last how many entries of what is there are read; all where that is empty
    /// @throws EngineException CONTAINER_UNKNOWN where it has been removed, LOG_GONE where it was in memory that
    ///     nobody has any more
    @SuppressWarnings("exports") // for Caisson's own modules
    public LogReader log(OptionalLong last) throws InterruptedException {
        Fd own = among.open(entry)
                .orElseThrow(() -> unknown(entry.id().shortForm(), State.running(entry.id(), options.state())));
        return LogDirectory.open(new DetachedPlace(options, among, entry), own, last);
    }

    /// Removes what is kept of it.
    /// @throws EngineException CONTAINER_RUNNING
    public void remove() {
        among.remove(entry);
    }

    /// Kills it if it runs, and waits until its engine has written how it ended.
    /// @throws EngineException CONTAINER_RUNNING if it does not end
    public void kill() throws InterruptedException {
        long begun = System.nanoTime();
        while (isRunning()) {
            Optional<RunningContainer> running =
                    RunningContainer.find(entry.id().value(), options);
            if (running.isPresent()) {
                running.get().kill();
            }
            if (System.nanoTime() - begun > PATIENCE.toNanos()) {
                throw new EngineException(
                        "CONTAINER_RUNNING",
                        "the container " + entry.id().shortForm() + " has not ended within " + PATIENCE.toSeconds()
                                + " seconds of being killed");
            }
            Thread.sleep(PAUSE_MILLIS);
        }
    }
}
