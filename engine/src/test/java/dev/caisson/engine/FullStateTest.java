package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.state.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The file system of the state directory, /run on an ordinary host, has no room left.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class FullStateTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("full"), OwnDirectories.data("full"));
    private static final Path FILLER = OPTIONS.state().resolve("filler");

    @BeforeEach
    void mount() throws Exception {
        Files.createDirectories(OPTIONS.state());
        run(
                "mount",
                "-t",
                "tmpfs",
                "-o",
                "size=1m,mode=0700",
                "full",
                OPTIONS.state().toString());
    }

    @AfterEach
    void unmount() throws Exception {
        empty();
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
        run("umount", "-l", OPTIONS.state().toString());
    }

    private static void run(String... command) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    private static void fill() throws IOException {
        try (var out = Files.newOutputStream(FILLER)) {
            while (true) {
                out.write(new byte[4096]);
            }
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("No space");
        }
    }

    private static void empty() throws IOException {
        Files.deleteIfExists(FILLER);
    }

    private static ContainerSpec sleeping(String name) {
        return ContainerSpec.onHost("sleep", "1000").name(name);
    }

    /// An act that the full file system may refuse.
    interface Act {
        void on(DetachedContainer container) throws InterruptedException;
    }

    /// What changes a container or starts it anew was carried out, or is refused for the reason, and the container is
    /// as it was.
    @ParameterizedTest
    @MethodSource
    void what_was_asked_for_is_carried_out_or_refused_with_the_reason(String name, Act act) throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer box = engine.create(sleeping("box"), DetachedOptions.STANDARD);
            box.start();
            if (name.equals("start")) {
                box.stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
            }
            String id = box.id().value();
            fill();

            boolean done = true;
            try {
                act.on(box);
            } catch (CaissonException e) {
                done = false;
                assertThat(e.code()).isEqualTo("STATE_UNUSABLE");
                assertThat(e).hasMessageContaining("make room");
            }

            DetachedContainer found = DetachedContainer.find(id, OPTIONS).orElseThrow();
            assertThat(found.name()).isEqualTo(done && name.equals("rename") ? "other" : "box");
            assertThat(DetachedContainer.find(found.name(), OPTIONS)).isPresent();
            assertThat(found.state())
                    .as(name + (done ? " was carried out" : " was refused"))
                    .isInstanceOfAny(
                            name.contains("start") && !done // a restart stops it first
                                    ? new Class<?>[] {ContainerState.Exited.class}
                                    : new Class<?>[] {ContainerState.Running.class});
            empty();
            found.restart(OptionalInt.of(9), Optional.of(Duration.ZERO));
            assertThat(engine.exec(found.name(), Exec.of("true"), Streams.capture())
                            .isOk())
                    .isTrue();
            found.remove(true);
            engine.create(sleeping("other"), DetachedOptions.STANDARD).remove(true); // the name is nobody's
        }
        assertThat(State.recordsIn(OPTIONS.state())).isEmpty();
    }

    static Stream<Arguments> what_was_asked_for_is_carried_out_or_refused_with_the_reason() {
        Act start = DetachedContainer::start;
        Act restart = container -> container.restart(OptionalInt.of(9), Optional.of(Duration.ZERO));
        Act rename = container -> container.rename("other");
        Act update = container -> container.update(limits -> limits.pids(100), Optional.empty());
        Act renew = container -> container.update(limits -> limits, Optional.of(RestartPolicy.parse("always")));
        return Stream.of(
                Arguments.of("start", start),
                Arguments.of("restart", restart),
                Arguments.of("rename", rename),
                Arguments.of("limits", update),
                Arguments.of("policy", renew));
    }

    @Test
    void nothing_is_made_and_nothing_is_left_and_what_is_there_can_be_used_stopped_and_removed() throws Exception {
        try (Engine engine = Engine.open(OPTIONS)) {
            DetachedContainer box = engine.create(sleeping("box"), DetachedOptions.STANDARD);
            box.start();
            int records = State.recordsIn(OPTIONS.state()).size();
            fill();

            assertThatThrownBy(() -> engine.create(sleeping("other"), DetachedOptions.STANDARD))
                    .isInstanceOf(CaissonException.class)
                    .hasMessageContaining("space");
            assertThatThrownBy(() -> engine.run(ContainerSpec.onHost("true")))
                    .isInstanceOf(CaissonException.class)
                    .hasMessageContaining("space");
            assertThat(State.recordsIn(OPTIONS.state())).hasSize(records);
            assertThat(DetachedPlace.all(OPTIONS)).hasSize(1);

            assertThat(engine.exec("box", Exec.of("true"), Streams.capture()).isOk())
                    .isTrue();
            box.pause();
            assertThat(box.state()).isInstanceOf(ContainerState.Paused.class);
            box.resume();
            box.stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
            assertThat(box.state()).isInstanceOf(ContainerState.Exited.class);
            box.remove(false);
            assertThat(DetachedPlace.all(OPTIONS)).isEmpty();

            empty();
            assertThat(engine.run(ContainerSpec.onHost("true")).isOk()).isTrue();
            engine.create(sleeping("other"), DetachedOptions.STANDARD).start();
        }
        assertThat(State.recordsIn(OPTIONS.state())).hasSize(1);
    }
}
