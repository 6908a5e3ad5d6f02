package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.engine.FailpointActor.Act;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The engine, a monitor, its zygote or a container's first process is killed at lines of the code that creates,
/// starts, enters, restarts, stops and removes a container in the background. Afterwards the container is as it is
/// reported to be, can be started and removed, and leaves nothing.
///
/// `-Dcaisson.test.failpoints=1000` tries every line.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class DetachedFailpointTest {
    static final EngineOptions OPTIONS = new EngineOptions(OwnDirectories.state("lines"), OwnDirectories.data("lines"));
    private static final Hierarchy HIERARCHY = Hierarchy.detect();
    private static final String NAME = "box";
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);

    /// Who is killed.
    enum Victim {
        ENGINE,
        ZYGOTE_OF_THE_ENGINE,
        MONITOR,
        ZYGOTE_OF_THE_MONITOR,
        CONTAINER
    }

    @TempDir
    Path directory;

    private Path root;
    private Optional<Actor> actor = Optional.empty();
    private HostTraces before;
    private List<String> networksBefore = List.of();

    /// Returns at how many lines of an act somebody is killed, at most.
    int lines() {
        return Integer.getInteger("caisson.test.failpoints", 3);
    }

    FailpointActor.Has has() {
        return FailpointActor.Has.NOTHING;
    }

    /// Returns what the host has of networks.
    List<String> networks() {
        return List.of();
    }

    /// A process that acts, and stands still.
    private record Actor(Process process, BufferedReader answers) {
        static Actor start(Path root, FailpointActor.Has has) throws IOException {
            Process process = new EngineProcess(LineLoader.class, OPTIONS, root, List.of(has.name())).start();
            var actor = new Actor(process, process.inputReader());
            assertThat(actor.answers.readLine()).isEqualTo(EngineProcess.OPENED);
            return actor;
        }

        void ask(Act act, String place) throws IOException {
            write(act + " " + NAME + " " + place);
        }

        void write(String line) throws IOException {
            process.outputWriter().write(line + "\n");
            process.outputWriter().flush();
        }
    }

    @BeforeEach
    void look() throws Exception {
        root = BusyboxEngine.makeRoot(directory.resolve("root"));
        create(); // what is first made here is there before
        box().remove(true);
        before = HostTraces.of(OPTIONS, directory, 0);
        networksBefore = networks();
        assertThat(before.groups()).isEmpty();
    }

    @AfterEach
    void end() throws Exception {
        if (actor.isPresent()) {
            actor.get().process.destroyForcibly().waitFor();
        }
        removeBox();
    }

    private void create() throws InterruptedException {
        try (Engine engine = Engine.open(OPTIONS)) {
            engine.create(FailpointActor.spec(root, NAME, has()), DetachedOptions.STANDARD);
        }
    }

    static DetachedContainer box() {
        return DetachedContainer.find(NAME, OPTIONS).orElseThrow();
    }

    private static void removeBox() throws InterruptedException {
        Optional<DetachedContainer> left = DetachedContainer.find(NAME, OPTIONS);
        if (left.isPresent()) {
            left.get().remove(true);
        }
    }

    @ParameterizedTest
    @EnumSource(Act.class)
    void the_engine(Act act) throws Exception {
        for (String line : lines(act)) {
            Actor killed = arrived(act, line);
            killed.process.destroyForcibly().waitFor();
            actor = Optional.empty();
            check(act, Victim.ENGINE, line, "killed");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Act.class,
            names = {"CREATE", "EXEC"})
    void its_zygote(Act act) throws Exception {
        killedAndGoingOn(act, Victim.ZYGOTE_OF_THE_ENGINE);
    }

    @ParameterizedTest
    @EnumSource(
            value = Act.class,
            names = {"CREATE"},
            mode = EnumSource.Mode.EXCLUDE)
    void the_monitor(Act act) throws Exception {
        killedAndGoingOn(act, Victim.MONITOR);
    }

    @ParameterizedTest
    @EnumSource(
            value = Act.class,
            names = {"CREATE"},
            mode = EnumSource.Mode.EXCLUDE)
    void the_monitors_zygote(Act act) throws Exception {
        killedAndGoingOn(act, Victim.ZYGOTE_OF_THE_MONITOR);
    }

    @ParameterizedTest
    @EnumSource(
            value = Act.class,
            names = {"CREATE"},
            mode = EnumSource.Mode.EXCLUDE)
    void the_container(Act act) throws Exception {
        killedAndGoingOn(act, Victim.CONTAINER);
    }

    private void killedAndGoingOn(Act act, Victim victim) throws Exception {
        for (String line : lines(act)) {
            Actor asked = arrived(act, line);
            boolean killed = kill(victim, asked.process.toHandle());
            asked.write("go on");
            String outcome = asked.answers.readLine().replaceFirst("^.*\t", "");
            assertThat(outcome)
                    .as("outcome of %s with %s killed at %s", act, victim, line)
                    .matches(killed ? "ok|[A-Z0-9_]+" : "ok");
            check(act, victim, line, outcome);
        }
    }

    /// Returns lines to which an act comes, at regular distances: at most so many as are wanted.
    private List<String> lines(Act act) throws Exception {
        prepare(act);
        Actor asked = acting();
        asked.ask(act, Failpoint.NOWHERE);
        String[] answer = asked.answers.readLine().split("\t", 2);
        assertThat(answer[1]).isEqualTo(Failpoint.OK);
        removeBox();
        List<String> all = List.of(answer[0].split(" ", -1));
        assertThat(all).hasSizeGreaterThan(20);
        double step = Math.max(1, (double) all.size() / lines());
        var chosen = new ArrayList<String>();
        for (double at = step == 1 ? 0 : step / 2; at < all.size(); at += step) {
            chosen.add(all.get((int) at));
        }
        return chosen;
    }

    /// Brings the container into the state in which the act makes sense.
    private void prepare(Act act) throws InterruptedException {
        if (act != Act.CREATE) {
            create();
        }
        if (act == Act.EXEC || act == Act.STOP || act == Act.RESTART || act == Act.REMOVE_BY_FORCE) {
            box().start();
        }
    }

    private Actor acting() throws IOException {
        if (actor.isEmpty()) {
            actor = Optional.of(Actor.start(root, has()));
        }
        return actor.get();
    }

    /// Returns the actor when it stands still at the line.
    private Actor arrived(Act act, String line) throws Exception {
        prepare(act);
        Actor asked = acting();
        asked.ask(act, line);
        assertThat(asked.answers.readLine()).isEqualTo(Failpoint.AT + line);
        return asked;
    }

    /// Kills it if it is there.
    private static boolean kill(Victim victim, ProcessHandle engine) throws Exception {
        Optional<ProcessHandle> process = switch (victim) {
            case ENGINE -> throw new AssertionError();
            case ZYGOTE_OF_THE_ENGINE ->
                engine.children().filter(FailpointEngine::isZygote).findFirst();
            case MONITOR -> monitor();
            case ZYGOTE_OF_THE_MONITOR -> {
                int own = pid();
                yield monitor().stream()
                        .flatMap(ProcessHandle::children)
                        .filter(child -> child.pid() != own)
                        .findFirst();
            }
            case CONTAINER -> pid() == 0 ? Optional.empty() : ProcessHandle.of(pid());
        };
        process.ifPresent(found -> FailpointEngine.signal("KILL", found.pid()));
        long begun = System.nanoTime();
        while (process.isPresent() && isRunning(process.get())) {
            assertThat(System.nanoTime() - begun).isLessThan(PATIENCE_NANOS);
            Thread.sleep(1);
        }
        return process.isPresent();
    }

    private static boolean isRunning(ProcessHandle process) {
        try {
            return !Files.readString(Path.of("/proc/" + process.pid() + "/stat"))
                    .contains(") Z ");
        } catch (IOException e) {
            return false; // it has ended
        }
    }

    private static Optional<ProcessHandle> monitor() throws InterruptedException {
        Optional<DetachedPlace> place = DetachedPlace.find(NAME, OPTIONS);
        if (place.isEmpty()) {
            return Optional.empty();
        }
        return place.get().told().flatMap(told -> ProcessHandle.of(told.monitorPid()));
    }

    private static int pid() throws InterruptedException {
        Optional<DetachedPlace> place = DetachedPlace.find(NAME, OPTIONS);
        return place.isEmpty() ? 0 : place.get().told().map(told -> told.pid()).orElse(0);
    }

    private void check(Act act, Victim victim, String line, String outcome) throws Exception {
        String as = "%s with %s killed at %s: %s".formatted(act, victim, line, outcome);
        try {
            checkLeft(as);
            Leftovers.clear(OPTIONS);
            if (DetachedContainer.find(NAME, OPTIONS).isPresent()) {
                awaitTruth(as);
                box().start();
                assertThat(box().state()).as(as).isInstanceOf(ContainerState.Running.class);
                awaitTruth(as);
                checkRunning(as);
                box().remove(true);
            } else {
                assertThat(act).as(as).isIn(Act.CREATE, Act.REMOVE, Act.REMOVE_BY_FORCE);
                assertThat(KeptContainer.all(OPTIONS)).as(as).isEmpty();
                create(); // its name is free, and half a directory goes with the next one
                box().remove(true);
            }
        } catch (RuntimeException e) {
            throw new AssertionError(as, e);
        }
        awaitAsBefore(as);
    }

    /// Checks what is left before anybody has cleared it.
    void checkLeft(String as) throws Exception {}

    /// Checks what else it must have that runs again.
    void checkRunning(String as) throws Exception {}

    /// Waits until what is reported is what the kernel has: who was killed needs a moment to end.
    private static void awaitTruth(String as) throws Exception {
        long begun = System.nanoTime();
        while (true) {
            ContainerState state = box().state();
            List<Long> processes = processes();
            boolean up = state instanceof ContainerState.Running;
            if (up ? processes.size() >= 2 && processes.size() <= 3 : processes.isEmpty()) {
                return;
            }
            assertThat(System.nanoTime() - begun)
                    .as("%s; %s, processes %s", as, state, processes)
                    .isLessThan(PATIENCE_NANOS);
            Thread.sleep(5);
        }
    }

    /// Returns the processes of the container: init, its program and what that sleeps with.
    private static List<Long> processes() {
        var all = new ArrayList<Long>();
        for (ContainerRecord record : State.recordsIn(OPTIONS.state())) {
            HIERARCHY
                    .find(record.cgroupParent(), record.id())
                    .map(Cgroup::processes)
                    .ifPresent(all::addAll);
        }
        return all;
    }

    private void awaitAsBefore(String as) throws Exception {
        long begun = System.nanoTime();
        while (!HostTraces.of(OPTIONS, directory, 0).equals(before)
                || !networks().equals(networksBefore)) {
            if (System.nanoTime() - begun > PATIENCE_NANOS) {
                assertThat(HostTraces.of(OPTIONS, directory, 0)).as(as).isEqualTo(before);
                assertThat(networks()).as(as).isEqualTo(networksBefore);
            }
            Thread.sleep(5);
        }
    }
}
