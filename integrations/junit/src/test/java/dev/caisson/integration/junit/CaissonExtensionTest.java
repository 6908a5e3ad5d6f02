package dev.caisson.integration.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.caisson.engine.Container;
import dev.caisson.engine.ContainerRunner;
import dev.caisson.engine.Engine;
import dev.caisson.engine.RunResult;
import dev.caisson.engine.Streams;
import dev.caisson.image.Image;
import dev.caisson.spec.ContainerSpec;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.platform.testkit.engine.EngineTestKit;

/// The extension runs test classes of its own through JUnit's test kit.
class CaissonExtensionTest {
    private static final AtomicReference<@Nullable Container> LEFT = new AtomicReference<>();
    private static final AtomicReference<@Nullable Engine> SHARED = new AtomicReference<>();

    /// Not found by the build: its name and its nesting keep it out.
    @ExtendWith(CaissonExtension.class)
    @TestMethodOrder(MethodOrderer.OrderAnnotation.class)
    static class Sample {
        @Test
        @Order(1)
        void a_program_runs(ContainerRunner runner) throws InterruptedException {
            RunResult result = runner.run(ContainerSpec.of(Image.host(), "sh", "-c", "echo hello; id -u"));
            assertThat(result.stdout()).isEqualTo("hello\n0\n");
        }

        @Test
        @Order(2)
        void a_container_is_left_running(Engine engine) throws InterruptedException {
            SHARED.set(engine);
            LEFT.set(engine.start(ContainerSpec.of(Image.host(), "sleep", "60"), Streams.capture()));
        }

        @Test
        @Order(3)
        void it_is_gone(Engine engine) {
            assertThat(engine).isSameAs(SHARED.get());
            assertThat(engine.containers()).isEmpty();
        }
    }

    @Test
    @Tag("root")
    void tests_get_an_engine_and_what_they_leave_is_killed() {
        EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(Sample.class))
                .configurationParameter(CaissonExtension.REQUIRED, "true")
                .execute()
                .testEvents()
                .assertStatistics(events -> events.succeeded(3).failed(0));
        assertThat(LEFT.get()).isNotNull();
    }

    /// Tests of two classes that run beside each other, and each other's containers.
    @ExtendWith(CaissonExtension.class)
    static class Crowd {
        @RepeatedTest(4)
        void a_program_runs_to_its_end(Engine engine) throws InterruptedException {
            engine.start(ContainerSpec.onHost("sleep", "60"), Streams.capture());
            assertThat(engine.run(ContainerSpec.onHost("sh", "-c", "sleep 0.3; echo end"))
                            .stdout())
                    .isEqualTo("end\n");
        }
    }

    /// Has a container that all of its tests use.
    @ExtendWith(CaissonExtension.class)
    static class Sharing {
        private static final AtomicReference<@Nullable Container> OWN = new AtomicReference<>();

        @BeforeAll
        static void start(Engine engine) throws InterruptedException {
            OWN.set(engine.start(ContainerSpec.onHost("sleep", "60"), Streams.capture()));
        }

        @RepeatedTest(3)
        void its_container_runs(Engine engine) throws InterruptedException {
            Thread.sleep(100);
            assertThat(engine.containers()).contains(Objects.requireNonNull(OWN.get()));
        }

        @Nested
        class Inner {
            @Test
            void it_runs_here_too(Engine engine) {
                assertThat(engine.containers()).contains(Objects.requireNonNull(OWN.get()));
            }
        }
    }

    /// Run last: sees what the classes before it have left.
    @ExtendWith(CaissonExtension.class)
    static class After {
        @Test
        void nothing_is_left(Engine engine) {
            assertThat(engine.containers()).isEmpty();
        }
    }

    @Test
    @Tag("root")
    void tests_that_run_beside_each_other_do_not_end_each_others_containers() {
        EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(Crowd.class), selectClass(Sharing.class))
                .configurationParameter(CaissonExtension.REQUIRED, "true")
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "true")
                .configurationParameter("junit.jupiter.execution.parallel.mode.default", "concurrent")
                .configurationParameter("junit.jupiter.execution.parallel.config.strategy", "fixed")
                .configurationParameter("junit.jupiter.execution.parallel.config.fixed.parallelism", "8")
                .execute()
                .testEvents()
                .assertStatistics(events -> events.succeeded(8).failed(0));
    }

    @Test
    @Tag("root")
    void a_container_of_a_class_lives_for_all_of_its_tests_and_no_longer() {
        EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(Sharing.class), selectClass(After.class))
                .configurationParameter(CaissonExtension.REQUIRED, "true")
                .execute()
                .testEvents()
                .assertStatistics(events -> events.succeeded(5).failed(0));
    }

    @Test
    void without_an_engine_tests_are_skipped_with_the_reason() {
        var results = EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(Sample.class))
                .execute();
        if (results.testEvents().started().count() == 0) {
            assertThat(results.containerEvents().skipped().stream()
                            .map(event -> event.getRequiredPayload(String.class)))
                    .anySatisfy(reason -> assertThat(reason).contains("ROOT_NEEDED: ", "sudo"));
        }
    }
}
