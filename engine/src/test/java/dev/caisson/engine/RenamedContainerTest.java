package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.ContainerSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A container that gets other names while it is used.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class RenamedContainerTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("renamed"), OwnDirectories.data("renamed"));
    private static final int ROUNDS = 12;

    @Test
    void one_is_restarted_paused_and_read_while_it_gets_other_names() throws Exception {
        String id;
        try (Engine engine = Engine.open(OPTIONS)) {
            id = engine.create(ContainerSpec.onHost("sleep", "1000").name("a"), DetachedOptions.STANDARD)
                    .id()
                    .value();
        }
        find(id).start();
        var done = new AtomicBoolean();
        var renamed = new CompletableFuture<Integer>();
        Thread.ofPlatform().start(() -> renamed.complete(rename(id, done)));
        try {
            for (int i = 0; i < ROUNDS; i++) {
                DetachedContainer box = find(id);
                box.restart(OptionalInt.empty(), Optional.of(Duration.ZERO));
                assertThat(box.state()).isInstanceOf(ContainerState.Running.class);
                box.pause();
                box.resume();
                assertThat(box.details().arguments()).containsExactly("sleep", "1000");
                box.stop(OptionalInt.empty(), Optional.of(Duration.ZERO));
                assertThat(box.state()).isInstanceOf(ContainerState.Exited.class);
                box.start();
                assertThat(box.started()).isPresent();
                try (Engine engine = Engine.open(OPTIONS)) {
                    assertThat(engine.exec(id, Exec.of("true"), Streams.capture())
                                    .isOk())
                            .isTrue();
                }
            }
        } finally {
            done.set(true);
            assertThat(renamed.get(30, TimeUnit.SECONDS)).isGreaterThan(ROUNDS);
            find(id).remove(true);
        }
        assertThat(KeptContainer.all(OPTIONS)).isEmpty();
    }

    private static int rename(String id, AtomicBoolean done) {
        int times = 0;
        for (String name : List.of("b", "a")) {
            find(id).rename(name);
        }
        while (!done.get()) {
            find(id).rename("b" + times++ % 2);
        }
        return times;
    }

    private static DetachedContainer find(String id) {
        return DetachedContainer.find(id, OPTIONS).orElseThrow();
    }
}
