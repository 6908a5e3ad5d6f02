package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.engine.NetworkModel.Act;
import dev.caisson.engine.NetworkModel.Asked;
import dev.caisson.engine.NetworkModel.World;
import dev.caisson.network.Attachment;
import dev.caisson.network.NetworkInfo;
import dev.caisson.spec.NetworkSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Random acts of several processes at once on a container and its networks: it is connected, disconnected, started,
/// renamed and removed while networks are made and removed. An order of the acts explains what every process was
/// answered, the kernel has what is recorded, and in the end nothing is left.
///
/// `-Dcaisson.test.sequences=200` tries more of them; a failure names its seed for `-Dcaisson.test.seed`.
@Tag("root")
@Tag("netns")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class NetworkModelTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("netmodel"), OwnDirectories.data("netmodel"));
    private static final int SEQUENCES = Integer.getInteger("caisson.test.sequences", 8);
    private static final long FIRST_SEED = Long.getLong("caisson.test.seed", 1);
    private static final List<Act> ACTS = List.of(Act.values());
    private static final int ROUNDS = 8;
    private static final int ACTORS = 3;
    /// What an engine keeps for later.
    private static final int SPARE_DESCRIPTORS = 4;

    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final List<Process> actors = new ArrayList<>();
    private final List<BufferedReader> answers = new ArrayList<>();
    private NetworkBed bed;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of(NetworkActor.FRONT)));
        for (int i = 0; i < ACTORS; i++) {
            Process process = new EngineProcess(NetworkActor.class, OPTIONS, Path.of("/"), List.of()).start();
            actors.add(process);
            answers.add(process.inputReader());
            assertThat(answers.getLast().readLine()).isEqualTo(EngineProcess.OPENED);
        }
    }

    @AfterEach
    void close() throws Exception {
        for (Process actor : actors) {
            actor.outputWriter().close();
            if (!actor.waitFor(20, TimeUnit.SECONDS)) {
                actor.destroyForcibly();
            }
        }
        removeAll();
        bed.close();
    }

    @Test
    void acts_of_several_processes_have_an_order_that_explains_them_and_leave_nothing() throws Exception {
        List<String> empty = NetworkBed.everything();
        List<Integer> open = List.of();
        for (long seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed++) {
            var told = new ArrayList<String>();
            try {
                sequence(new SplittableRandom(seed), told);
                removeAll();
                await(
                        "nothing of the container and its network is left",
                        () -> NetworkBed.everything().equals(empty));
            } catch (Exception | AssertionError e) {
                throw new AssertionError("seed " + seed + ", after " + String.join(", ", told), e);
            }
            open = open.isEmpty() ? descriptors() : open;
        }
        for (int i = 0; i < ACTORS; i++) {
            assertThat(descriptors().get(i))
                    .as("descriptors of an actor")
                    .isLessThanOrEqualTo(open.get(i) + SPARE_DESCRIPTORS);
        }
    }

    private void sequence(SplittableRandom random, List<String> told) throws Exception {
        World now = World.EMPTY;
        for (int round = 0; round < ROUNDS; round++) {
            List<Act> acts = acts(random, now);
            for (int i = 0; i < ACTORS; i++) {
                actors.get(i).outputWriter().write(acts.get(i) + "\n");
                actors.get(i).outputWriter().flush();
            }
            var asked = new ArrayList<Asked>();
            for (int i = 0; i < ACTORS; i++) {
                asked.add(new Asked(acts.get(i), answers.get(i).readLine()));
            }
            told.add(asked.toString());
            Set<World> possible = NetworkModel.after(now, asked);
            assertThat(possible).as("an order explains %s after %s", asked, now).isNotEmpty();
            await("one of " + possible, () -> possible.contains(world()));
            now = world();
            checkKernel(now);
        }
    }

    /// The network and the container are there more often than not. One act at most gives it another name for a while.
    private static List<Act> acts(SplittableRandom random, World now) {
        var acts = new ArrayList<Act>();
        for (int i = 0; i < ACTORS; i++) {
            Act act = ACTS.get(random.nextInt(ACTS.size()));
            boolean twice = act == Act.RENAME_AND_BACK && (acts.contains(act) || acts.contains(Act.CREATE));
            boolean taken = act == Act.CREATE && acts.contains(Act.RENAME_AND_BACK);
            acts.add(twice || taken ? Act.CONNECT : act);
        }
        if (!now.side()) {
            acts.set(0, Act.MAKE);
        } else if (!now.box() && !acts.contains(Act.RENAME_AND_BACK)) {
            acts.set(0, Act.CREATE);
        }
        return acts;
    }

    private World world() throws InterruptedException {
        Optional<DetachedContainer> box = DetachedContainer.find(NetworkActor.BOX, OPTIONS);
        boolean running = box.isPresent() && box.get().state() instanceof ContainerState.Running;
        List<String> names =
                bed.networks(all -> all.list().stream().map(NetworkInfo::name).toList());
        return new World(
                box.isPresent(),
                running,
                names.contains(NetworkActor.SIDE),
                box.isPresent() && places(box.get()).contains(NetworkActor.SIDE));
    }

    private List<String> places(DetachedContainer box) {
        return bed.networks(all ->
                all.attachments(box.id()).stream().map(Attachment::network).toList());
    }

    private void checkKernel(World now) throws Exception {
        int links = !now.running() ? 0 : now.joined() ? 2 : 1;
        await(links + " links", () -> NetworkBed.links().size() == links);
        int networks = now.side() ? 2 : 1;
        assertThat(NetworkBed.sh("ip -br link | grep -c '^cn'").strip()).isEqualTo(Integer.toString(networks));
        if (now.running()) {
            assertThat(Verification.of(NetworkActor.BOX, OPTIONS).checks())
                    .filteredOn(check -> !check.asPlanned())
                    .isEmpty();
        }
    }

    private List<Integer> descriptors() throws IOException {
        var counts = new ArrayList<Integer>();
        for (Process actor : actors) {
            try (var list = Files.list(Path.of("/proc/" + actor.pid() + "/fd"))) {
                counts.add(Math.toIntExact(list.count()));
            }
        }
        return counts;
    }

    private void removeAll() throws Exception {
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
        bed.networks(all -> {
            if (all.list().stream().anyMatch(one -> one.name().equals(NetworkActor.SIDE))) {
                all.remove(NetworkActor.SIDE);
            }
            return null;
        });
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Condition condition) throws Exception {
        long begun = System.nanoTime();
        while (!condition.holds()) {
            assertThat(System.nanoTime() - begun).as(what).isLessThan(PATIENCE_NANOS);
            Thread.sleep(10);
        }
    }
}
