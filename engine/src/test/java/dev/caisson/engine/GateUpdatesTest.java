package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.image.Image;
import dev.caisson.secret.NewStore;
import dev.caisson.secret.SecretAccess;
import dev.caisson.secret.SecretException;
import dev.caisson.secret.SecretName;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.Unlocker;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Egress;
import dev.caisson.spec.Gate;
import dev.caisson.spec.Network;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Open gates follow changes of their secret: each cause alone, without a container or a network.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class GateUpdatesTest {
    private static final String ID = "a".repeat(64);
    private static final SecretName LASTING = new SecretName("lasting");
    private static final SecretName BRIEF = new SecretName("brief");

    @TempDir
    private Path scratch;

    private EngineOptions options;
    private Path directory;
    private final List<String> acts = new ArrayList<>();
    private GateUpdates updates;

    /// Reasons why a value may not be used any longer.
    enum Cause {
        REMOVED(false, SecretException.Code.SECRET_UNKNOWN) {
            @Override
            void happen(GateUpdatesTest test) {
                test.change(store -> store.remove(LASTING, "test"));
            }
        },
        FOR_OTHERS(false, SecretException.Code.SECRET_DENIED) {
            @Override
            void happen(GateUpdatesTest test) {
                var others = new SecretAccess(List.of(), List.of("others"), Map.of());
                test.change(store -> store.restrict(LASTING, others, "test"));
            }
        },
        EXPIRED(true, SecretException.Code.SECRET_EXPIRED) {
            @Override
            void happen(GateUpdatesTest test) {}
        },
        EXPIRED_IN_A_LOCKED_STORE(true, SecretException.Code.SECRET_LOCKED) {
            @Override
            void happen(GateUpdatesTest test) throws IOException {
                test.unplug();
            }
        },
        STORE_GONE(false, SecretException.Code.SECRET_STORE_MISSING) {
            @Override
            void happen(GateUpdatesTest test) throws IOException {
                BusyboxEngine.removeTree(test.directory);
            }
        };

        private final boolean brief;
        private final SecretException.Code code;

        Cause(boolean brief, SecretException.Code code) {
            this.brief = brief;
            this.code = code;
        }

        abstract void happen(GateUpdatesTest test) throws IOException;
    }

    private interface Change {
        void of(SecretStore store);
    }

    @BeforeEach
    void make() throws IOException {
        options = new EngineOptions(scratch.resolve("state"), scratch.resolve("data"));
        directory = Files.createDirectories(options.data()).resolve(SecretStore.DIRECTORY);
        SecretStore.make(
                directory,
                new NewStore(new Unlocker.KeyFile(scratch.resolve("key")), List.of(), true),
                Optional::empty,
                "test");
        create(LASTING, Optional.empty());
        updates = new GateUpdates(options, (_, _, next) -> acts.add("replace " + text(next)), _ -> acts.add("close"));
    }

    private void change(Change change) {
        try (SecretStore store = SecretStore.open(directory, Optional::empty)) {
            change.of(store);
        }
    }

    private void create(SecretName name, Optional<Duration> lifetime) {
        try (SecretValue value = SecretValue.of(bytes("value-of-" + name.text()))) {
            change(store -> store.create(name, value, Map.of(), lifetime, "test"));
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(GateSecrets secrets) {
        try (SecretValue value = secrets.copies().getFirst().value()) {
            return new String(value.copy(), StandardCharsets.UTF_8);
        }
    }

    /// Takes the key file away, as a disk is unplugged.
    private void unplug() throws IOException {
        Files.move(scratch.resolve("key"), scratch.resolve("unplugged"));
    }

    private GateSecrets read(SecretName secret) {
        ContainerSpec spec = ContainerSpec.of(Image.host(), "true")
                .network(Network.on("web")
                        .egress(Egress.only("api.gated.invalid:443"))
                        .gates(List.of(Gate.of(secret.text()).to("api.gated.invalid"))));
        return GateSecrets.read(options.data(), spec, Optional.empty(), "test");
    }

    private static void awaitEnd(GateSecrets secrets) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!secrets.isExpired()) {
            assertThat(System.nanoTime() - until).isNegative();
            Thread.sleep(10);
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_gate_is_closed_for_each_reason_for_which_its_value_may_be_had_no_more(Cause cause) throws Exception {
        create(BRIEF, Optional.of(Duration.ofSeconds(3)));
        try (GateSecrets open = read(cause.brief ? BRIEF : LASTING)) {
            updates.look(Map.of(ID, open));
            assertThat(acts).isEmpty();
            if (cause.brief) {
                awaitEnd(open);
            }
            cause.happen(this);
            assertThatThrownBy(open::again)
                    .isInstanceOfSatisfying(
                            SecretException.class,
                            failure -> assertThat(failure.reason()).isEqualTo(cause.code));

            updates.look(Map.of(ID, open));

            assertThat(acts).containsExactly("close");
        }
    }

    @Test
    void a_gate_stays_as_it_is_while_the_store_is_locked_and_its_value_has_not_expired() throws Exception {
        try (GateSecrets open = read(LASTING)) {
            updates.look(Map.of(ID, open));
            change(store -> store.restrict(LASTING, SecretAccess.ANY, "test")); // another stamp
            unplug();
            updates.look(Map.of(ID, open));
            assertThat(acts).isEmpty();
        }
    }

    @Test
    void another_value_takes_the_place_of_the_first_once() throws Exception {
        try (GateSecrets open = read(LASTING);
                SecretValue next = SecretValue.of(bytes("the-next-value"))) {
            updates.look(Map.of(ID, open));
            change(store -> store.rotate(LASTING, next, Optional.empty(), "test"));
            updates.look(Map.of(ID, open));
            assertThat(acts).containsExactly("replace the-next-value");
        }
    }
}
