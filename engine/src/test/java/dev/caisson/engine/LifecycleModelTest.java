package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.engine.LifecycleModel.Act;
import dev.caisson.engine.LifecycleModel.Asked;
import dev.caisson.engine.LifecycleModel.Phase;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Random acts of several processes at once on one container. For each round there must be an order of the acts that
/// explains what every process was told, and the state that is told afterwards is what the kernel has.
///
/// `-Dcaisson.test.sequences=1000` tries more of them; a failure names its seed for `-Dcaisson.test.seed`.
@Tag("root")
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class LifecycleModelTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("lifecycle"), OwnDirectories.data("lifecycle"));
    private static final int SEQUENCES = Integer.getInteger("caisson.test.sequences", 20);
    private static final long FIRST_SEED = Long.getLong("caisson.test.seed", 1);
    private static final Hierarchy HIERARCHY = Hierarchy.detect();
    private static final List<Act> ALL_ACTS = List.of(Act.values());
    private static final int ROUNDS = 8;
    private static final int ACTORS = 3;
    private static final String NAME = "box";
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private static final List<Actor> ACTORS_ASKED = new ArrayList<>();

    /// Another process that acts.
    private record Actor(Process process, BufferedReader answers) {
        static Actor start() throws IOException {
            Process process = new EngineProcess(LifecycleActor.class, OPTIONS, Path.of("/"), List.of()).start();
            var actor = new Actor(process, process.inputReader());
            assertThat(actor.answers.readLine()).isEqualTo(EngineProcess.OPENED);
            return actor;
        }

        void ask(Act act) throws IOException {
            process.outputWriter().write(act + " " + NAME + "\n");
            process.outputWriter().flush();
        }

        Asked answered(Act act) throws IOException {
            return new Asked(act, answers.readLine());
        }
    }

    @BeforeAll
    static void begin() throws Exception {
        for (int i = 0; i < ACTORS; i++) {
            ACTORS_ASKED.add(Actor.start());
        }
        try (Engine engine = Engine.open(OPTIONS)) {
            engine.create(ContainerSpec.onHost("true").name(LifecycleActor.TAKEN), DetachedOptions.STANDARD);
        }
    }

    @AfterAll
    static void end() throws Exception {
        for (Actor actor : ACTORS_ASKED) {
            actor.process.outputWriter().close();
            assertThat(actor.process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        }
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
        assertThat(OPTIONS.state().resolve("names")).isEmptyDirectory();
    }

    @AfterEach
    void removeBox() throws Exception {
        Optional<DetachedContainer> left = DetachedContainer.find(NAME, OPTIONS);
        if (left.isPresent()) {
            left.get().remove(true);
        }
    }

    @Test
    void acts_of_one_process_do_what_the_model_says() throws Exception {
        check(1);
    }

    @Test
    void acts_of_several_processes_at_once_have_an_order_that_explains_them() throws Exception {
        check(ACTORS);
    }

    private void check(int actors) throws Exception {
        for (long seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed++) {
            var told = new ArrayList<String>();
            try {
                sequence(new SplittableRandom(seed), actors, told);
            } catch (Exception | AssertionError e) {
                throw new AssertionError("seed " + seed + ", after " + String.join(", ", told), e);
            }
            removeBox();
        }
    }

    private static void sequence(SplittableRandom random, int actors, List<String> told) throws Exception {
        Set<Phase> phases = EnumSet.of(Phase.GONE);
        for (int round = 0; round < ROUNDS; round++) {
            List<Act> acts = acts(random, phases, actors);
            for (int i = 0; i < actors; i++) {
                ACTORS_ASKED.get(i).ask(acts.get(i));
            }
            var asked = new ArrayList<Asked>();
            for (int i = 0; i < actors; i++) {
                asked.add(ACTORS_ASKED.get(i).answered(acts.get(i)));
            }
            told.add(asked.toString());

            Set<Phase> possible = LifecycleModel.after(phases, asked);

            assertThat(possible)
                    .as("an order explains %s after %s", asked, phases)
                    .isNotEmpty();
            Phase now = settled(possible);
            phases = EnumSet.of(now);
            if (now == Phase.RUNNING && possible.contains(Phase.ENDING)) {
                phases.add(Phase.ENDING); // it may be on its way out
            }
        }
    }

    /// A container that is gone is made again. One more program in a container that somebody pauses meanwhile
    /// would wait for a later round. At most one act gives it another name for a while; nobody takes the first.
    private static List<Act> acts(SplittableRandom random, Set<Phase> phases, int actors) {
        var acts = new ArrayList<Act>();
        for (int i = 0; i < actors; i++) {
            acts.add(ALL_ACTS.get(random.nextInt(ALL_ACTS.size())));
        }
        if (phases.contains(Phase.GONE)) {
            acts.set(0, Act.CREATE);
        }
        if (acts.contains(Act.PAUSE)) {
            acts.replaceAll(act -> act == Act.EXEC ? Act.UPDATE : act);
        }
        if (acts.contains(Act.CREATE)) { // one that is half made has no monitor, as one whose lease is over
            acts.replaceAll(act -> act == Act.END_OF_LEASE ? Act.RENEW : act);
        }
        int renames = acts.indexOf(Act.RENAME_AND_BACK);
        for (int i = 0; i < actors; i++) {
            if (acts.get(i) == Act.RENAME_AND_BACK && (i != renames || acts.contains(Act.CREATE))) {
                acts.set(i, Act.RENAME);
            }
        }
        return acts;
    }

    /// Returns the state that is told, once it is possible and the kernel has the same. One that was killed is on
    /// its way out a little longer.
    private static Phase settled(Set<Phase> possible) throws Exception {
        long begun = System.nanoTime();
        while (true) {
            Phase phase = phase();
            if (possible.contains(phase) && isKernels(phase)) {
                return phase;
            }
            assertThat(System.nanoTime() - begun)
                    .as("told %s, possible %s, the kernel has %s", phase, possible, kernels())
                    .isLessThan(PATIENCE_NANOS);
            Thread.sleep(2);
        }
    }

    /// True if what runs has processes in its group, which stand still if it is paused, and what does not run has none.
    private static boolean isKernels(Phase phase) throws Exception {
        for (ContainerRecord record : State.recordsIn(OPTIONS.state())) {
            if (record.name().equals(NAME)) {
                Cgroup group =
                        HIERARCHY.find(record.cgroupParent(), record.id()).orElseThrow();
                boolean up = phase == Phase.RUNNING || phase == Phase.PAUSED;
                return up != group.processes().isEmpty() && group.isToldToPause() == (phase == Phase.PAUSED);
            }
        }
        return phase == Phase.GONE;
    }

    private static String kernels() {
        return State.recordsIn(OPTIONS.state()).stream()
                .map(record -> record.name() + " has "
                        + HIERARCHY
                                .find(record.cgroupParent(), record.id())
                                .map(group -> group.processes() + (group.isToldToPause() ? ", told to pause" : "")))
                .toList()
                .toString();
    }

    private static Phase phase() throws Exception {
        Optional<DetachedContainer> found = DetachedContainer.find(NAME, OPTIONS);
        if (found.isEmpty()) {
            return Phase.GONE;
        }
        ContainerState state = found.get().state();
        return switch (state) {
            case ContainerState.Created _ -> Phase.CREATED;
            case ContainerState.Running _ -> Phase.RUNNING;
            case ContainerState.Paused _ -> Phase.PAUSED;
            case ContainerState.Exited _ -> Phase.EXITED;
            case ContainerState.Restarting _, ContainerState.Lost _ -> throw new AssertionError(state);
        };
    }
}
