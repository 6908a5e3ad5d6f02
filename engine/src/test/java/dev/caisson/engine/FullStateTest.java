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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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
