package dev.caisson.micrometer;

import dev.caisson.engine.Container;
import dev.caisson.engine.ContainerUsage;
import dev.caisson.engine.Engine;
import dev.caisson.engine.WritableUse;
import dev.caisson.error.ArgumentException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.InterfaceUse;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Pressure;
import dev.caisson.spec.Usage;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.BaseUnits;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// Meters of every container that an engine runs, with the tags `id`, `name` and `image`. They come with a
/// container and go with it.
///
/// ```java
/// try (var engine = Engine.open(); var metrics = new ContainerMetrics(engine)) {
///     metrics.bindTo(registry);
/// ```
///
/// Meters of containers. The first 200 names and images are told apart; others get the tag `other`, so that whoever
/// chooses names cannot fill a registry. The meters of a container leave the registry with it.
///
/// A figure that this kernel does not keep has no meter. All figures of a container are read at once, at most
/// once in [#FRESH].
public final class ContainerMetrics implements MeterBinder, AutoCloseable {
    /// How long one look at a container is good for.
    static final Duration FRESH = Duration.ofMillis(500);

    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final String SECONDS = "seconds";

    /// Most names and most images that are told apart in one registry.
    static final int MOST_VALUES = 200;

    private final Engine engine;
    private final TagValues names = new TagValues(MOST_VALUES);
    private final TagValues images = new TagValues(MOST_VALUES);
    private final Map<MeterRegistry, Map<Container, List<Meter>>> bound = new HashMap<>();
    private @Nullable Thread refresher;
    private boolean closed;

    public ContainerMetrics(Engine engine) {
        this.engine = ArgumentException.present(engine, "engine");
    }

    /// Adds the meters of the containers that run and, until [#close], of those that are started.
    @Override
    public synchronized void bindTo(MeterRegistry registry) {
        ArgumentException.present(registry, "registry");
        if (closed || bound.containsKey(registry)) {
            return;
        }
        bound.put(registry, new HashMap<>());
        Gauge.builder(
                        "container.running",
                        engine,
                        running -> running.containers().size())
                .description("Containers that run.")
                .register(registry);
        refresh();
        if (refresher == null) {
            refresher = Thread.ofVirtual().name("caisson-metrics").start(this::keepUp);
        }
    }

    private void keepUp() {
        try {
            while (true) {
                Thread.sleep(PAUSE);
                refresh();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        }
    }

    /// Looks at once which containers run; otherwise this happens every second.
    public synchronized void refresh() {
        List<Container> running = engine.containers();
        bound.forEach((registry, meters) -> {
            meters.entrySet().removeIf(entry -> {
                boolean ended = !running.contains(entry.getKey());
                if (ended) {
                    entry.getValue().forEach(registry::remove);
                }
                return ended;
            });
            running.stream()
                    .filter(container -> !meters.containsKey(container))
                    .forEach(added -> register(registry, added).ifPresent(made -> meters.put(added, made)));
        });
    }

    /// Returns nothing if no figures can be read; the next look tries again.
    private Optional<List<Meter>> register(MeterRegistry registry, Container container) {
        var latest = new LatestUsage(container::usage);
        ContainerUsage now = latest.get();
        if (now == null) {
            return Optional.empty();
        }
        var tags = Tags.of(
                "id", container.id().shortForm(),
                "name", names.bounded(container.name()),
                "image", images.bounded(container.image()));
        var adding = new Adding(registry, tags, latest, new ArrayList<>());
        Usage usage = now.group();
        adding.counter(
                "container.cpu.usage", SECONDS, seconds(group -> group.cpu().total()));
        adding.counter(
                "container.cpu.user", SECONDS, seconds(group -> group.cpu().user()));
        adding.counter(
                "container.cpu.system", SECONDS, seconds(group -> group.cpu().system()));
        adding.counter(
                "container.cpu.throttled",
                SECONDS,
                seconds(group -> group.cpu().throttling().throttledTime()));
        if (usage.memory().isPresent()) {
            memory(adding);
        }
        if (usage.pids().isPresent()) {
            adding.gauge("container.processes", "processes", pids(Usage.Pids::current));
            adding.gauge(
                    "container.processes.max",
                    "processes",
                    pids(pids -> pids.limit() == Limits.UNLIMITED_PIDS ? Double.NaN : pids.limit()));
            adding.counter("container.processes.refused", "forks", pids(Usage.Pids::refused));
        }
        if (usage.io().isPresent()) {
            adding.counter("container.io.read", BaseUnits.BYTES, io(Usage.Io::readBytes));
            adding.counter("container.io.written", BaseUnits.BYTES, io(Usage.Io::writtenBytes));
        }
        if (!now.interfaces().isEmpty()) {
            adding.counter("container.network.received", BaseUnits.BYTES, traffic(InterfaceUse::received));
            adding.counter("container.network.sent", BaseUnits.BYTES, traffic(InterfaceUse::sent));
        }
        if (usage.pressure().isPresent()) {
            adding.counter("container.pressure.cpu", SECONDS, stalled(Usage.Pressures::cpu));
            adding.counter("container.pressure.memory", SECONDS, stalled(Usage.Pressures::memory));
            adding.counter("container.pressure.io", SECONDS, stalled(Usage.Pressures::io));
        }
        adding.gauge(
                "container.fs.usage",
                BaseUnits.BYTES,
                writable(layer -> layer.used().count()));
        adding.gauge(
                "container.fs.max",
                BaseUnits.BYTES,
                writable(layer -> layer.size().count()));
        adding.gauge("container.fs.files", BaseUnits.FILES, writable(WritableUse::inodes));
        adding.gauge("container.fs.files.max", BaseUnits.FILES, writable(WritableUse::mostInodes));
        return Optional.of(adding.meters());
    }

    private static void memory(Adding adding) {
        adding.gauge("container.memory.usage", BaseUnits.BYTES, bytes(Usage.Memory::current));
        adding.gauge("container.memory.working.set", BaseUnits.BYTES, bytes(Usage.Memory::workingSet));
        adding.gauge(
                "container.memory.peak",
                BaseUnits.BYTES,
                memoryFigure(memory ->
                        memory.peak().map(peak -> (double) peak.count()).orElse(Double.NaN)));
        adding.gauge(
                "container.memory.max",
                BaseUnits.BYTES,
                memoryFigure(memory -> memory.limit().isUnlimited()
                        ? Double.NaN
                        : memory.limit().count()));
        adding.counter("container.oom.kills", "processes", memoryFigure(Usage.Memory::oomKills));
    }

    private static ToDoubleFunction<ContainerUsage> seconds(Function<Usage, Duration> figure) {
        return usage -> figure.apply(usage.group()).toNanos() / 1e9;
    }

    private static ToDoubleFunction<ContainerUsage> stalled(Function<Usage.Pressures, Pressure> resource) {
        return usage -> usage.group()
                .pressure()
                .map(pressures -> resource.apply(pressures).some().total().toNanos() / 1e9)
                .orElse(Double.NaN);
    }

    private static ToDoubleFunction<ContainerUsage> bytes(Function<Usage.Memory, Bytes> figure) {
        return memoryFigure(memory -> figure.apply(memory).count());
    }

    private static ToDoubleFunction<ContainerUsage> memoryFigure(ToDoubleFunction<Usage.Memory> figure) {
        return usage -> usage.group().memory().map(figure::applyAsDouble).orElse(Double.NaN);
    }

    private static ToDoubleFunction<ContainerUsage> pids(ToDoubleFunction<Usage.Pids> figure) {
        return usage -> usage.group().pids().map(figure::applyAsDouble).orElse(Double.NaN);
    }

    private static ToDoubleFunction<ContainerUsage> io(ToDoubleFunction<Usage.Io> figure) {
        return usage -> usage.group()
                .io()
                .map(disks -> disks.stream().mapToDouble(figure).sum())
                .orElse(Double.NaN);
    }

    private static ToDoubleFunction<ContainerUsage> traffic(Function<InterfaceUse, InterfaceUse.Traffic> way) {
        return usage -> usage.interfaces().stream()
                .mapToDouble(link -> way.apply(link).bytes())
                .sum();
    }

    private static ToDoubleFunction<ContainerUsage> writable(ToDoubleFunction<WritableUse> figure) {
        return usage -> usage.writable().map(figure::applyAsDouble).orElse(Double.NaN);
    }

    /// Meters of one container on their way into a registry.
    private record Adding(MeterRegistry registry, Tags tags, LatestUsage latest, List<Meter> meters) {
        void gauge(String name, String unit, ToDoubleFunction<ContainerUsage> figure) {
            meters.add(Gauge.builder(name, latest, source -> source.figure(figure))
                    .tags(tags)
                    .baseUnit(unit)
                    .strongReference(true)
                    .register(registry));
        }

        /// Micrometer holds the source of a counter weakly; the gauges hold the same one.
        void counter(String name, String unit, ToDoubleFunction<ContainerUsage> figure) {
            meters.add(FunctionCounter.builder(name, latest, source -> source.figure(figure))
                    .tags(tags)
                    .baseUnit(unit)
                    .register(registry));
        }
    }

    /// Takes all meters of containers out of the registries again.
    @Override
    public synchronized void close() {
        closed = true;
        if (refresher != null) {
            refresher.interrupt();
        }
        bound.forEach((registry, meters) -> meters.values().forEach(added -> added.forEach(registry::remove)));
        bound.clear();
    }
}
